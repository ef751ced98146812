package isolated

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"strconv"
	"sync/atomic"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/child/process"
)

// The streams of a copy that are ours. They come after all others.
const (
	talkStream  = "coppice-isolated"
	crashStream = "coppice-crash"
)

// An attempt is one run of a function.
type attempt struct {
	entry      *entry
	command    process.Command
	memory     uint64
	callsReady bool
	argument   func() ([]byte, error)
	result     func(context.Context, json.RawMessage) error
}

// Serve runs the function in a copy. Where it has a limit of memory and there
// are no control groups, it is started again with a limit of its data: what is
// known then for all others.
func (a *attempt) Serve(ctx context.Context) error {
	t, err := a.task(ctx)
	if err != nil {
		return &child.StartError{Err: err}
	}
	data := ungrouped.Load()
	err = a.run(ctx, t, data)
	if a.memory > 0 && !data && noCgroup(err) {
		ungrouped.Store(true)
		err = a.run(ctx, t, true)
	}
	return err
}

// ungrouped says that nobody lets us make control groups with a limit.
var ungrouped atomic.Bool

func noCgroup(err error) bool {
	var (
		start  *child.StartError
		failed *process.StartError
	)
	return errors.As(err, &start) && !start.Temporary && errors.As(err, &failed) && failed.Step == "cgroup"
}

// task is what the copy is told. The program must be one that can be copied.
func (a *attempt) task(ctx context.Context) (taskMessage, error) {
	if err := theHook.check(); err != nil {
		return taskMessage{}, err
	}
	argument, err := a.argument()
	return taskMessage{
		Name: a.entry.name, Shape: a.entry.shape, Build: build(), Argument: argument,
		Path: child.Path(ctx), Incarnation: child.Incarnation(ctx), Beats: child.Pulse(ctx) != nil,
		Level: int(leastLevel(ctx)),
	}, err
}

// run runs one copy, whose memory is limited by its data if there is no control
// group.
func (a *attempt) run(ctx context.Context, t taskMessage, data bool) error {
	report, theirs, err := newReport()
	if err != nil {
		return &child.StartError{Err: err, Temporary: true}
	}
	g := newGate(ctx, a.callsReady, t)
	g.started = func(h *process.Handle) {
		_ = theirs.Close() // it has its own by now
		report.hear(h)
	}
	err = a.plan(held{crash: theirs, stop: g.stop, data: data, memory: a.memory}).Serve(g.context())
	_ = theirs.Close() // it may not have started
	said := g.close()
	err = a.limited(a.verdict(ctx, err, said, report.text(ctx)))
	if err == nil && said != nil && said.ended != nil && said.ended.Result != nil {
		return a.result(ctx, said.ended.Result)
	}
	return err
}

// held is what a copy is given.
type held struct {
	crash  *os.File
	stop   func(context.Context, *process.Handle) error
	memory uint64
	data   bool // limit the data and not the control group
}

// plan is the command of the copy.
func (a *attempt) plan(h held) process.Command {
	c := a.command
	c.Path = image()
	if len(c.Args) == 0 {
		c.Args = []string{a.entry.name}
	}
	first := 3 + len(c.Sockets) + len(c.Streams)
	c.Streams = append(c.Streams[:len(c.Streams):len(c.Streams)], process.Stream{Name: talkStream}, process.Stream{Name: crashStream, File: h.crash})
	if h.memory > 0 {
		c = limit(c, h.memory, h.data)
	}
	c.Env = append(follow(c), append(c.Env[:len(c.Env):len(c.Env)], marker+"="+strconv.Itoa(first))...)
	c.Stop = append(process.Ladder{{Func: h.stop}}, c.Stop...)
	if h.stop == nil {
		c.Stop = a.command.Stop
	}
	return c
}

// limit adds the limit of memory.
func limit(c process.Command, memory uint64, data bool) process.Command {
	if data {
		limits := c.System.Limits
		c.System.Limits = append(limits[:len(limits):len(limits)], process.Limit{Name: "data", Soft: memory, Hard: memory})
		return c
	}
	c.Containment.Cgroup, c.Containment.MaxMemory = true, memory
	return c
}

// follow tells Go in the copy what it may use: entries that the user's own come
// after.
func follow(c process.Command) (env []string) {
	memory := c.Containment.MaxMemory
	for _, l := range c.System.Limits {
		if l.Name == "data" && l.Soft != process.NoLimit {
			memory = l.Soft
		}
	}
	if memory > 0 {
		const share, of = 9, 10 // the rest is for what the collector does not see
		env = append(env, "GOMEMLIMIT="+strconv.FormatUint(memory/of*share, 10))
	}
	if cpus := c.Containment.MaxCPU; cpus > 0 {
		env = append(env, "GOMAXPROCS="+strconv.Itoa(max(1, int(math.Ceil(cpus)))))
	}
	return env
}

// verdict says how a run ended, of which err is the process's side.
func (a *attempt) verdict(ctx context.Context, err error, t *talk, report string) error {
	var status *child.StatusError
	lost := errors.Is(err, process.ErrStatusLost)
	switch isStatus := errors.As(err, &status); {
	case t != nil && t.refused && t.why == "":
		return &child.StartError{Err: ErrNoHook}
	case t != nil && t.refused:
		return &child.StartError{Err: &RefusalError{t.task.Name, t.why}}
	case err != nil && !isStatus && !lost || t == nil:
		return err
	case t.ended != nil:
		return t.ended.error()
	case report != "" && isStatus && status.Signal != killSignal:
		text, stack := crashOf(report)
		return crashed(text, stack, status)
	case err == nil && ctx.Err() == nil && !t.said.Load():
		return &child.StartError{Err: ErrNoHook}
	case err == nil && ctx.Err() == nil && len(a.command.Endings.Clean) == 0:
		return ErrNoResult
	}
	return err
}

// limited is err, as the end by the limit of memory if it looks like that.
func (a *attempt) limited(err error) error {
	var (
		status *child.StatusError
		crash  *CrashError
	)
	switch {
	case a.memory == 0 || err == nil:
	case errors.As(err, &crash):
		if shortOfMemory(crash.Text) {
			return &LimitError{a.memory, err}
		}
	case errors.As(err, &status) && status.OOM:
		return &LimitError{a.memory, err}
	}
	return err
}
