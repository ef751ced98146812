package supervisor

import (
	"context"
	"log/slog"
	"strconv"
	"time"

	"github.com/coppice-go/coppice/child"
)

// Panics says what becomes of a child's panic. The zero value is [Recover].
type Panics uint8

const (
	// Recover: a panic is an exit with its stack, and the child is restarted
	// by the rules.
	Recover Panics = iota
	// Crash: a panic of a child ends the program, with the original stack.
	Crash
)

// String is the constant's name in lower case.
func (p Panics) String() string {
	switch p {
	case Recover:
		return "recover"
	case Crash:
		return "crash"
	}
	return "Panics(" + strconv.Itoa(int(p)) + ")"
}

// Options is what belongs to a running tree and is not data. The zero value is
// good. A copy of it is taken; what it points to is shared.
type Options struct {
	// Logger gets one line for each change, with the same keys in all: path,
	// incarnation, cause, attempt, delay, and for a process the group process.
	// Optional; nil is slog.Default().
	//
	//   - Error: a supervisor gives up; a run does not end after it was killed;
	//     a Decide, a ping or a probe misbehaves.
	//   - Warn: a run has failed, also in answer to a stop, or has ended well
	//     by itself and is followed by another; the grace of a run is over;
	//     lines were dropped.
	//   - Info: any other end of a run that did not share the fate of its
	//     siblings: that of a child that is done, or that a call has stopped;
	//     and each completed start of a child that was ever restarted
	//     automatically.
	//   - Debug: all else. A child is added or removed; a run begins, has
	//     started for the first time, is told to stop, has stopped as it should
	//     with its group or its supervisor; a brutal kill, and the death of a
	//     process by it; the failed start that a call asked for, whose caller
	//     is told.
	//
	// Of each child ten lines a minute are written, and ten of level Error; the
	// next one says how many were held back. The handler is called from one
	// goroutine of the tree's own; if it is slow, lines are dropped and
	// counted, and the end of the tree waits 250 ms for it at the most.
	Logger *slog.Logger
	// Panics says what becomes of a child's panic. Optional; zero is Recover.
	Panics Panics
	// Redact hides secrets in arguments and in lines of output. It is called
	// from many goroutines. Optional; nil is child.HideSecrets.
	Redact func(string) string
	// Drain is how long the tree goes on as before when it was told to stop, so
	// that those who send it work have time to see that and turn elsewhere. It
	// comes before the budget of the stop, but within the deadline of Stop's
	// context. A second Stop ends it. Optional; zero is not at all.
	Drain time.Duration
}

func (o Options) logger() *slog.Logger {
	if o.Logger == nil {
		return slog.Default()
	}
	return o.Logger
}

func (o Options) redact(s string) (safe string) {
	if o.Redact == nil {
		return child.HideSecrets(s)
	}
	defer func() {
		if recover() != nil {
			safe = "(the redactor panicked)"
		}
	}()
	return o.Redact(s)
}

// New checks spec and makes a supervisor of it. It starts nothing. The error
// is an [*InvalidError] with every mistake.
func (o Options) New(spec Spec) (*Supervisor, error) {
	if o.Panics > Crash {
		return nil, &InvalidError{[]*SpecError{{"Options", "Panics", o.Panics.String(), "is none of the constants"}}}
	}
	if o.Drain < 0 {
		return nil, &InvalidError{[]*SpecError{{"Options", "Drain", o.Drain.String(), "is negative"}}}
	}
	p, err := makePlan(spec)
	if err != nil {
		return nil, err
	}
	return &Supervisor{tree: newTree(o), plan: p, life: newLife()}, nil
}

// Start makes a supervisor of spec and starts it. It returns when all children
// have started, or, with an error, when those that had are stopped again. The
// end of ctx is an orderly stop, also during the start; the children have the
// values of ctx, not its end. The tree runs until then, or until Stop, whether
// or not the supervisor is kept; a program that ends before has not stopped its
// children in order.
func (o Options) Start(ctx context.Context, spec Spec) (*Supervisor, error) {
	s, err := o.New(spec)
	if err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, &CallError{"start", spec.Name, context.Cause(ctx)}
	}
	l := s.life
	go func() { _ = s.serve(ctx, func() {}) }()
	select {
	case <-l.complete:
		return s, nil
	case <-l.done:
	}
	select {
	case <-l.complete: // it came up and went down at once; Wait tells why
		return s, nil
	default:
	}
	if l.err == nil { // it was stopped before it had started
		return nil, &CallError{"start", spec.Name, context.Cause(ctx)}
	}
	return nil, l.err
}

// Run starts spec and waits until it has ended. It returns nil after the end
// of ctx, after Stop, and after an automatic shutdown whose trigger was clean;
// otherwise why it ended: an [*InvalidError], an [*ExitError] or a
// [*StopError]. [ExitStatus] makes an exit status of it.
func (o Options) Run(ctx context.Context, spec Spec) error {
	s, err := o.New(spec)
	if err != nil || ctx.Err() != nil {
		return err
	}
	return s.serve(ctx, func() {})
}

// New is [Options.New] with zero options.
func New(spec Spec) (*Supervisor, error) { return Options{}.New(spec) }

// Start is [Options.Start] with zero options.
func Start(ctx context.Context, spec Spec) (*Supervisor, error) { return Options{}.Start(ctx, spec) }

// Run is [Options.Run] with zero options.
func Run(ctx context.Context, spec Spec) error { return Options{}.Run(ctx, spec) }
