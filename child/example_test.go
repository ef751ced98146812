package child_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	"github.com/coppice-go/coppice/child"
)

// A function becomes a service, which ends when its context does.
func ExampleFunc() {
	beat := child.Func(func(ctx context.Context) error {
		fmt.Println("up")
		<-ctx.Done()
		fmt.Println("down")
		return nil
	})

	// A service can be run without a supervisor.
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	fmt.Println(beat.Serve(ctx))
	// Output:
	// up
	// down
	// <nil>
}

// counter is a service that must not be served twice.
type counter struct{ lines int }

func (c *counter) Serve(context.Context) error {
	c.lines++
	fmt.Println("line", c.lines)
	return errors.New("lost the connection")
}

// With Fresh no run sees what the run before it left behind.
func ExampleFresh() {
	service := child.Fresh(func() child.Service { return new(counter) })
	for range 2 {
		fmt.Println(service.Serve(context.Background()))
	}
	// Output:
	// line 1
	// lost the connection
	// line 1
	// lost the connection
}

// vault is a service with something in it that nobody is to see.
type vault struct{ password string }

func (v *vault) Serve(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

// A spec is data: it shows what it says, and of a service only the name.
func ExampleSpec() {
	spec := child.Spec{
		Name:     "vault",
		Run:      &vault{password: "hunter2"},
		Restart:  child.Transient,
		Shutdown: 10 * time.Second,
	}
	fmt.Println(spec)

	copied := spec
	copied.Shutdown = child.BrutalKill
	fmt.Println(copied.Shutdown == child.BrutalKill, copied.Equal(spec))
	// Output:
	// {name: vault, run: *child_test.vault, restart: transient, shutdown: 10s}
	// true false
}

// An exit says how a run ended, in one line, and is an error if it is one.
func ExampleExit() {
	exit := child.ExitOf(fmt.Errorf("read config: %w", fs.ErrNotExist))
	fmt.Println(exit)
	fmt.Println(exit.Kind, exit.Abnormal(), errors.Is(exit, fs.ErrNotExist))

	exit = child.ExitOf(&child.StatusError{Code: 3})
	fmt.Println(exit, "-", exit.ExitStatus())

	fmt.Println(child.ExitOf(nil).AsError())
	// Output:
	// error: read config: file does not exist
	// error true true
	// exit code 3 - 3
	// <nil>
}

// printer stands for a supervisor: it is what a run's context leads to.
type printer struct{ path string }

func (p printer) Ready()                  { fmt.Println(p.path, "is ready") }
func (p printer) Killed() <-chan struct{} { return nil }
func (p printer) Path() string            { return p.path }
func (p printer) Incarnation() uint64     { return 1 }
func (p printer) Logger() *slog.Logger    { return slog.New(slog.DiscardHandler) }
func (p printer) Publish(any)             {}
func (p printer) Redact(s string) string  { return child.HideSecrets(s) }

// A service says when its start is complete. Without a supervisor nobody
// listens, and it runs all the same.
func ExampleReady() {
	service := child.Func(func(ctx context.Context) error {
		fmt.Println("the cache is warm")
		child.Ready(ctx)
		return nil
	})
	_ = service.Serve(context.Background())

	supervised := context.WithValue(context.Background(), child.RuntimeKey{}, printer{"shop/cache"})
	_ = service.Serve(supervised)
	// Output:
	// the cache is warm
	// the cache is warm
	// shop/cache is ready
}

// A worker that has to show that it gets on: the loop beats, so that a worker
// that hangs in one of its steps is found within five to six seconds.
func ExamplePulse() {
	worker := child.Spec{
		Name: "worker",
		Run: child.Func(func(ctx context.Context) error {
			pulse := child.Pulse(ctx)
			for step := 0; ctx.Err() == nil && step < 3; step++ {
				pulse.Beat()
				fmt.Println("step", step)
			}
			return nil
		}),
		Liveness: child.Liveness{Timeout: 5 * time.Second},
		Stuck:    child.Escalate,
	}
	fmt.Println(worker.Run.Serve(context.Background()))
	// Output:
	// step 0
	// step 1
	// step 2
	// <nil>
}
