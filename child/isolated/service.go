package isolated

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/child/process"
)

// A Service is a function with its argument, as a child. Each run is a copy of
// the program of its own. It is data: it can be copied, and run by any number
// of supervisors at the same time, as long as nobody changes what the argument
// holds. The zero value is not valid, because it has no function;
// [Function.With] makes one.
type Service[In, Out any] struct {
	// Function is what runs. Required.
	Function *Function[In, Out]
	// Arg is its argument. It is made JSON at the start of each run. Optional.
	Arg In
	// Result gets what the function returned, if that was no error, in the
	// goroutine of the run and before the run is over. Optional; zero is that
	// the result is dropped.
	Result func(ctx context.Context, result Out)
	// Memory is how many bytes the copy may have: a limit of its control
	// group, with its descendants, where the system lets us make one, else of
	// its data (RLIMIT_DATA), which each of them has for itself. It ends who
	// goes beyond it, as a [*LimitError]. The garbage collector of the copy
	// keeps to nine tenths. Go itself needs some 64 MiB. Optional; zero is no
	// limit. Linux only.
	Memory uint64
	// CallsReady says that the start is complete when the function calls
	// [child.Ready]. Optional; zero is that it is with the first word of the
	// copy, when the function is there and has its argument.
	CallsReady bool
	// Pinged says that the copy is to be asked whether it is alive, as the
	// Liveness of the child has it: what the function has given to [Answer]
	// answers, or else the copy. Optional; zero is that nobody asks.
	Pinged bool
	// Command says how the process is to be treated, as with any program: its
	// environment, output, user, limits, control group, quota, ladders and
	// hooks. Path, Shell, PIDFile, Detach and Orphan have to be zero. Its Args
	// are seen by who lists processes, and zero is the function's name. What
	// is in Stop comes after the context of the function has ended. Optional.
	Command process.Command
}

var (
	_ child.Announcer = Service[int, int]{}
	_ child.Killer    = Service[int, int]{}
	_ child.Maker     = Service[int, int]{}
	_ child.Pinger    = Service[int, int]{}
	_ child.Decider   = Service[int, int]{}
)

// Announces is true: the start is complete with the first word of the copy, or
// when the function says so.
func (Service[In, Out]) Announces() bool { return true }

// Kills is true: the copy can be killed, whatever it does.
func (Service[In, Out]) Kills() bool { return true }

// Decides reports whether the Endings of the Command decide anything.
func (s Service[In, Out]) Decides() bool { return s.Command.Decides() }

// Decide is that of the Command, by its Endings.
func (s Service[In, Out]) Decide(exit child.Exit) child.Decision { return s.Command.Decide(exit) }

// IsNil reports whether there is no function.
func (s Service[In, Out]) IsNil() bool { return s.Function == nil || s.Function.entry == nil }

// Serve runs the function once in a copy of the program, and returns when the
// copy, and what is left of its process group, is gone. It can be called again,
// and by several goroutines at once.
//
// It returns nil when the function did, or was told to stop and obeyed. An
// error of the function is a [*FunctionError]. A panic, and what else made the
// copy crash, is a [*child.PanicError] around a [*CrashError], with the stack.
// Otherwise the end of the process is told as that of any command. A copy that
// could not be made, or has no such function, is a [*child.StartError].
//
// While it runs it offers a [*process.Handle] by [child.Publish].
func (s Service[In, Out]) Serve(ctx context.Context) error { return s.Make().Serve(ctx) }

// Make makes the service of one run.
func (s Service[In, Out]) Make() child.Service {
	if err := s.check(); err != nil {
		return child.Func(func(context.Context) error { return &child.StartError{Err: err} })
	}
	return &attempt{
		entry: s.Function.entry, command: s.Command, memory: s.Memory, callsReady: s.CallsReady,
		argument: s.encode,
		result:   s.take,
	}
}

// encode is the argument as JSON.
func (s Service[In, Out]) encode() ([]byte, error) {
	argument, err := json.Marshal(s.Arg)
	switch {
	case err != nil:
		return nil, fmt.Errorf("isolated: Service.Arg: must have a form in JSON: %w", err)
	case len(argument) > MaxValue:
		return nil, fmt.Errorf("isolated: Service.Arg: has %d bytes in JSON; at most %d are allowed", len(argument), MaxValue)
	}
	return argument, nil
}

// take hands the result out. Its type is ours, whatever the copy says.
func (s Service[In, Out]) take(ctx context.Context, result json.RawMessage) error {
	if s.Result == nil {
		return nil
	}
	var out Out
	if err := json.Unmarshal(result, &out); err != nil {
		return fmt.Errorf("isolated: the result of %q cannot be read: %w", s.Function.Name(), err)
	}
	s.Result(ctx, out)
	return nil
}

// Pings is Pinged.
func (s Service[In, Out]) Pings() bool { return s.Pinged }

// Ping asks the copy of the run that ctx belongs to, and waits for its answer
// or the end of ctx.
func (Service[In, Out]) Ping(ctx context.Context) error { return talks.ping(ctx) }

// Validate reports every mistake that can be told without starting anything,
// joined by [errors.Join].
func (s Service[In, Out]) Validate() error {
	_, err := s.encode()
	return errors.Join(err, s.check())
}

// check checks everything but the argument.
func (s Service[In, Out]) check() error {
	if s.IsNil() {
		return errors.New("isolated: Service.Function: must be a registered function")
	}
	var all []error
	c := s.Command
	for _, m := range []struct {
		field string
		wrong bool
	}{
		{"Path", c.Path != ""}, {"Shell", c.Shell}, {"PIDFile", c.PIDFile != ""},
		{"Detach", c.Detach}, {"Orphan", c.Orphan != process.DieToo},
	} {
		if m.wrong {
			all = append(all, fmt.Errorf("isolated: Service.Command.%s: must be zero: the program is this one, and ends with it", m.field))
		}
	}
	if s.Memory > 0 && !canLimit {
		all = append(all, errors.New("isolated: Service.Memory: cannot be had on this system"))
	}
	a := attempt{entry: s.Function.entry, command: c}
	return errors.Join(append(all, a.plan(held{}).Validate())...)
}

// ValidateSpec checks s against the spec of the child that it runs. A
// supervisor calls it where it finds it.
func (s Service[In, Out]) ValidateSpec(spec child.Spec) error { return s.Command.ValidateSpec(spec) }

// String is isolated and the name of the function. The argument may be secret,
// and is shown by nothing.
func (s Service[In, Out]) String() string {
	if s.IsNil() {
		return "isolated"
	}
	return "isolated " + s.Function.Name()
}

// GoString is [Service.String], so that %#v shows no secret.
func (s Service[In, Out]) GoString() string { return s.String() }

// MarshalText is [Service.String], so that neither JSON nor a log shows a secret.
func (s Service[In, Out]) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
