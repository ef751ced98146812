//go:build unix

package process_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/child/process"
)

func script(text string) process.Command { return process.Command{Path: text, Shell: true} }

func TestOneCallReturnsOutputAndExit(t *testing.T) {
	for _, c := range []struct {
		name, script, stdout, stderr string
		exit                         child.Exit
	}{
		{"the bytes are the program's own", `printf 'a\n\nb'; printf 'c\0d' >&2`, "a\n\nb", "c\x00d", child.Exit{}},
		{"a failure has its code and its output", `echo out; echo err >&2; exit 3`, "out\n", "err\n", child.Exit{Kind: child.ExitCode, Code: 3}},
		{"a signal is told", `echo out; kill -KILL $$`, "out\n", "", child.Exit{Kind: child.Signalled, Signal: syscall.SIGKILL}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := process.Run(t.Context(), script(c.script))
			if string(r.Stdout) != c.stdout || string(r.Stderr) != c.stderr || r.Dropped != 0 {
				t.Errorf("got %q, %q, %d dropped", r.Stdout, r.Stderr, r.Dropped)
			}
			if r.Exit.Kind != c.exit.Kind || r.Exit.Code != c.exit.Code || r.Exit.Signal != c.exit.Signal {
				t.Errorf("got %v", r.Exit)
			}
			if (err != nil) != c.exit.Abnormal() || err != nil && !errors.As(err, new(*child.StatusError)) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestOneCallThatTakesTooLongIsEndedAndSaysSo(t *testing.T) {
	for _, c := range []struct {
		name, script string
		signal       syscall.Signal
		command      process.Command
	}{
		{"one that obeys", `echo out; exec sleep 60`, syscall.SIGTERM, process.Command{}},
		{"one that does not", `trap '' TERM; echo out; while :; do sleep 0.05; done`, syscall.SIGKILL, process.Command{Stop: process.Ladder{{Signal: syscall.SIGTERM, Wait: 50 * time.Millisecond}}}},
		{"a descendant that holds the pipe", `echo out; sleep 60 & exec sleep 60`, syscall.SIGTERM, process.Command{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.command.Path, c.command.Shell = c.script, true
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			r, err := process.Run(ctx, c.command)
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v", err)
			}
			if string(r.Stdout) != "out\n" || r.Exit.Signal != c.signal {
				t.Errorf("got %q, %v", r.Stdout, r.Exit)
			}
		})
	}
}

// patient is the run of a child whose grace is never over.
type patient struct {
	child.Runtime
	t *testing.T
}

func (patient) Path() string            { return "caller" }
func (patient) Killed() <-chan struct{} { return nil }
func (patient) Logger() *slog.Logger    { return slog.New(slog.DiscardHandler) }
func (p patient) Ready()                { p.t.Error("the child was made ready") }
func (p patient) Publish(any)           { p.t.Error("something was published") }

func TestOneCallWithinAChildIsKilledAllTheSame(t *testing.T) {
	ctx := context.WithValue(t.Context(), child.RuntimeKey{}, patient{t: t})
	ctx, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
	defer cancel()
	began := time.Now()
	_, err := process.Run(ctx, script(`trap '' TERM; while :; do sleep 0.05; done`))
	if took := time.Since(began); !errors.Is(err, context.DeadlineExceeded) || took < child.DefaultShutdown {
		t.Errorf("got %v after %v", err, took)
	}
}

func TestOneCallKeepsSoMuchAndTellsTheRest(t *testing.T) {
	r, err := process.Run(t.Context(), script(`head -c 1500000 /dev/zero; head -c 1048577 /dev/zero >&2`))
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Stdout) != process.MostOutput || len(r.Stderr) != process.MostOutput || r.Dropped != 1500000-process.MostOutput+1 {
		t.Errorf("kept %d and %d, dropped %d", len(r.Stdout), len(r.Stderr), r.Dropped)
	}
}

func TestOneCallOfWhatCannotStart(t *testing.T) {
	if _, err := process.Run(t.Context(), process.Command{Path: "/no/such/program"}); !errors.As(err, new(*child.StartError)) {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := process.Run(ctx, script("exit 0")); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestASilentProcessIsEndedByAbortAndThenStop(t *testing.T) {
	c := script(`trap 'echo abort' USR1; trap 'echo stop; exit 0' TERM; echo ready; while :; do sleep 0.02; done`)
	c.Idle = time.Second
	c.Abort = process.Ladder{{Signal: syscall.SIGUSR1, To: process.Leader, Wait: 200 * time.Millisecond}}
	r, err := process.Run(t.Context(), c)
	if !errors.Is(err, process.ErrIdle) {
		t.Errorf("got %v", err)
	}
	if got := string(r.Stdout); got != "ready\nabort\nstop\n" {
		t.Errorf("got %q", got)
	}
	if err := c.Serve(t.Context()); !errors.Is(err, process.ErrIdle) {
		t.Errorf("as a child: got %v", err)
	}
}

func TestEachOutputPutsOffTheEndOfTheSilence(t *testing.T) {
	c := script(`for i in 1 2 3 4 5 6; do sleep 0.2; printf x; sleep 0.2; printf y >&2; done`)
	c.Idle = 1500 * time.Millisecond // of 2.4 s in all
	if r, err := process.Run(t.Context(), c); err != nil || string(r.Stdout) != "xxxxxx" {
		t.Errorf("got %q, %v", r.Stdout, err)
	}
}

func TestAProcessThatIsStoppedMayBeSilent(t *testing.T) {
	c := script(`trap 'sleep 1.5; exit 0' TERM; echo ready; while :; do sleep 0.02; echo; done`)
	var out lines
	c.Idle, c.Stdout.Writer = time.Second, &out
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- c.Serve(ctx) }()
	await(t, &out, "ready")
	cancel()
	if err := <-done; err != nil {
		t.Errorf("got %v", err)
	}
}

func TestSilenceCanBeToldOnlyOfAStreamThatComesToUs(t *testing.T) {
	nowhere := process.Output{To: process.Discard}
	for _, c := range []process.Command{
		{Path: "a", Idle: -1},
		{Path: "a", Idle: 1, Stdout: nowhere, Stderr: process.Output{To: process.Inherit}},
	} {
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), "Command.Idle") {
			t.Errorf("got %v", err)
		}
	}
	if err := (process.Command{Path: "a", Idle: 1, Stderr: nowhere}).Validate(); err != nil {
		t.Error(err)
	}
}
