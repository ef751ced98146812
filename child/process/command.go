package process

import (
	"context"
	"path/filepath"
	"time"

	"github.com/coppice-go/coppice/child"
)

// Command is a program to run as a child. It is data: it can be copied, and
// run by any number of supervisors at the same time, as long as nobody changes
// what its slices hold. The zero value is not valid, because it names no
// program.
//
// Its standard input is empty (the null device).
type Command struct {
	// Path is the program. Without a slash it is looked up in the PATH of Env,
	// or in ours if Env sets none; entries of PATH that are not absolute are
	// passed over. A relative path with a slash is relative to Dir. Required.
	Path string
	// Args are the arguments, without the name of the program. Optional.
	Args []string
	// Env is the whole environment, each entry as KEY=value; of two entries
	// with the same key the later one counts. Optional; nil means ours.
	Env []string
	// Dir is the directory that the program starts in. Optional; zero is ours.
	Dir string
	// Stdout is where its output goes. Optional; zero is the log of the run.
	Stdout Output
	// Stderr is where its error output goes. Optional; zero is the log of the
	// run. With the same Writer as Stdout both go through one pipe, and the
	// writer sees them in the order in which they were printed.
	Stderr Output
}

var _ child.Announcer = Command{}

// Announces is true: the start is complete when the program executes.
func (Command) Announces() bool { return true }

// Serve runs the program once and returns when it, and what is left of its
// process group, is gone. It can be called again, and by several goroutines at
// once; each call is a process of its own.
//
// It returns nil after the code 0, and after a stop that was obeyed: an end by
// SIGTERM or by code 143 (128 and SIGTERM) once ctx had ended. Any other end is
// a [*child.StatusError], also the one by SIGKILL after [child.Killed] closed.
// A program that could not be started is a [*child.StartError].
//
// Without a run in ctx nobody says when the grace of a stop is over; it is
// [child.DefaultShutdown] then.
func (c Command) Serve(ctx context.Context) error {
	if err := c.Validate(); err != nil {
		return &child.StartError{Err: err}
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	p, err := start(ctx, c)
	if err != nil {
		return err
	}
	child.Ready(ctx)
	told := await(ctx, p)
	return verdict(told, p.finish(ctx))
}

// await returns when the leader of the group has ended, and reports whether it
// was told to. Until then this goroutine is the only one that signals it.
func await(ctx context.Context, p *proc) (told bool) {
	done, killed := ctx.Done(), child.Killed(ctx)
	for {
		select {
		case <-p.exited:
			return told
		case <-killed:
			killed, done, told = nil, nil, true
			report(ctx, "kill", p.kill())
		case <-done:
			done, told = nil, true
			if isClosed(killed) {
				continue // no grace: do not ask first
			}
			report(ctx, "terminate", p.terminate())
			if child.FromContext(ctx) == nil {
				alone, cancel := context.WithTimeout(context.WithoutCancel(ctx), child.DefaultShutdown)
				defer cancel()
				killed = alone.Done()
			}
		}
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// report logs a signal that could not be sent, as to a process that has become
// another user's. What it means for the stop is the supervisor's business, who
// sees that the run does not end.
func report(ctx context.Context, what string, err error) {
	if err != nil {
		child.Logger(ctx).Warn("process: cannot "+what, "err", err)
	}
}

const (
	// goneWait bounds the wait for the rest of a group that has been killed.
	// Only what a kill does not reach takes longer: a process in an
	// uninterruptible call, or another user's.
	goneWait = time.Second
	// deliveryWait bounds the wait for whoever takes the output of a process
	// that has ended. The lines are delivered later too, by a goroutine that
	// ends with them.
	deliveryWait = 500 * time.Millisecond
)

// String is the name of the program without its directory. Arguments and
// environment hold secrets, and are shown by nothing.
func (c Command) String() string {
	if c.Path == "" {
		return "process"
	}
	return printable(filepath.Base(c.Path))
}

// GoString is the name of the program, so that %#v shows no secret.
func (c Command) GoString() string { return "process.Command(" + c.String() + ")" }

// MarshalText is [Command.String], so that neither JSON nor a log shows a secret.
func (c Command) MarshalText() ([]byte, error) { return []byte(c.String()), nil }
