package probe

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"unicode/utf8"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/child/process"
)

// maxOutput is how much of the end of a program's output is shown.
const maxOutput = 300

// Exec runs a program, which is well if it ends with the code 0 in time. It
// runs in a process group of its own, and when the context ends, or it ends
// itself, all of the group is killed (not on Windows, which has no groups: there
// it is killed alone). It reads an empty input. The zero value is not valid,
// because it names no program. It may be used from any goroutine, by many at
// once, as long as nobody changes what its slices hold.
//
// The fields are those of [process.Command] of the same name.
type Exec struct {
	// Path is the program, looked up in the PATH of its environment if it has
	// no slash. With Shell it is a script. Required.
	Path string
	// Args are the arguments, without the name of the program. Optional.
	Args []string
	// Shell runs Path as a script of sh, which sees Args as $1, $2 and so on.
	// Optional.
	Shell bool
	// Env are entries KEY=value beside those of our environment. Optional.
	Env []string
	// CleanEnv makes Env the whole environment. Optional.
	CleanEnv bool
	// Dir is the directory that the program starts in. Optional; zero is ours.
	Dir string
	// User is who it runs as. Optional; zero is us.
	User process.User
	// System is what the operating system is told about it. Optional.
	System process.System
}

// Ping runs the program once and returns when it, and what is left of its
// group, is gone: nil after the code 0, else an [*Error] that tells the end of
// what it printed, or what Validate says.
func (e Exec) Ping(ctx context.Context) error {
	if err := e.Validate(); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return NewError(ctx, e, "", ctx.Err())
	}
	err := e.command().Serve(context.WithValue(ctx, child.RuntimeKey{}, errand{ctx}))
	var status *child.StatusError
	switch {
	case ctx.Err() != nil:
		reason := "killed, because it did not end in time"
		if errors.Is(ctx.Err(), context.Canceled) {
			reason = "killed, because its answer is not needed any more"
		}
		if errors.As(err, &status) {
			reason += printed(status)
		}
		return NewError(ctx, e, reason, err)
	case err == nil:
		return nil
	case errors.As(err, &status):
		return NewError(ctx, e, status.Error()+printed(status), err)
	}
	return NewError(ctx, e, "", err)
}

// printed is the end of what a program printed, after a colon.
func printed(status *child.StatusError) string {
	text := strings.ReplaceAll(strings.TrimSpace(status.Output), "\n", " / ")
	if text == "" {
		return ""
	}
	if len(text) > maxOutput {
		text = text[len(text)-maxOutput:]
		for !utf8.RuneStart(text[0]) {
			text = text[1:]
		}
		text = "..." + text
	}
	return ": " + text
}

func (e Exec) command() process.Command {
	kept := process.Output{To: process.Keep, Label: "output"} // both in one pipe, and so in order
	return process.Command{
		Path: e.Path, Args: e.Args, Shell: e.Shell, Env: e.Env, CleanEnv: e.CleanEnv, Dir: e.Dir,
		User: e.User, System: e.System, Stdout: kept, Stderr: kept,
	}
}

// Validate reports every mistake in e that can be told without looking at the
// machine, joined by [errors.Join].
func (e Exec) Validate() error {
	if err := e.command().Validate(); err != nil {
		return fmt.Errorf("probe: Exec: %w", err)
	}
	return nil
}

// String is exec and the name of the program, without its directory.
func (e Exec) String() string { return "exec " + e.command().String() }

// GoString shows what String shows, so that %#v tells no secret.
func (e Exec) GoString() string { return "probe.Exec(" + e.String() + ")" }

// MarshalText is [Exec.String], so that neither JSON nor a log tells a secret.
func (e Exec) MarshalText() ([]byte, error) { return []byte(e.String()), nil }

// errand is what the program's process is told of the run in whose name it is
// started. It must not speak for that run: the run is not ready because a
// program that asks after it has started, and what it publishes is not this
// process. There is no grace: the end of the context is that of the time.
type errand struct{ ctx context.Context }

var _ child.Runtime = errand{}

func (errand) Ready()                    {}
func (errand) Publish(any)               {}
func (e errand) Killed() <-chan struct{} { return e.ctx.Done() }
func (e errand) Path() string            { return child.Path(e.ctx) }
func (e errand) Incarnation() uint64     { return child.Incarnation(e.ctx) }
func (e errand) Logger() *slog.Logger    { return child.Logger(e.ctx) }
func (e errand) Redact(s string) string  { return child.Redact(e.ctx, s) }
