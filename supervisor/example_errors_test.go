package supervisor_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/strategies"
	"github.com/coppice-go/coppice/supervisor"
)

// Stop returns when everything has stopped, in the reverse order.
func ExampleSupervisor_Stop() {
	server := child.Func(func(ctx context.Context) error {
		<-ctx.Done()
		fmt.Println("told to stop:", child.Path(ctx))
		return nil
	})
	sup, err := supervisor.Start(context.Background(), supervisor.Spec{
		Name: "shop",
		Children: []child.Specer{
			child.Spec{Name: "database", Run: server},
			child.Spec{Name: "web", Run: server},
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second) // for the whole stop
	defer cancel()
	fmt.Println(sup.Stop(ctx))
	// Output:
	// told to stop: shop/web
	// told to stop: shop/database
	// <nil>
}

// hangs is a service that does not listen.
func hangs(release <-chan struct{}) child.Func {
	return func(context.Context) error {
		<-release
		return nil
	}
}

// A goroutine cannot be killed. The stop ends in time all the same, and says
// which runs were left behind, with the stack of each.
func ExampleStopError() {
	release := make(chan struct{})
	defer close(release)
	sup, err := supervisor.Start(context.Background(), supervisor.Spec{
		Name: "shop",
		Children: []child.Specer{
			child.Spec{Name: "web", Run: child.Func(idle)},
			child.Spec{Name: "deaf", Run: hangs(release)},
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	err = sup.Stop(ctx)
	var stop *supervisor.StopError
	if errors.As(err, &stop) {
		for _, b := range stop.Blocked {
			fmt.Println(b.Path)
		}
	}
	fmt.Println(errors.Is(err, supervisor.ErrStuck))
	// Output:
	// shop/deaf
	// true
}

// A run that was left behind is named wherever it is in the tree.
func ExampleBlocked() {
	release := make(chan struct{})
	defer close(release)
	sup, err := supervisor.Start(context.Background(), supervisor.Spec{
		Name: "shop",
		Children: []child.Specer{supervisor.Spec{Name: "ingest", Children: []child.Specer{
			child.Spec{Name: "deaf", Run: hangs(release)},
		}}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	var stop *supervisor.StopError
	if errors.As(sup.Stop(ctx), &stop) {
		blocked := stop.Blocked[0]
		fmt.Println(blocked.Path, blocked.Since > 0, strings.Contains(blocked.Stack, "hangs"))
	}
	// Output:
	// shop/ingest/deaf true true
}

// The end of a supervisor unwraps to the one exit that caused it.
func ExampleExitError() {
	errDisk := errors.New("disk full")
	full := make(chan struct{})
	sup, err := supervisor.Start(context.Background(), supervisor.Spec{
		Name:      "shop",
		Intensity: strategies.Intensity{Period: time.Minute}, // no restart
		Backoff:   immediately,
		Children: []child.Specer{supervisor.Spec{
			Name:      "ingest",
			Intensity: strategies.Intensity{Restarts: 1, Period: time.Minute},
			Backoff:   immediately,
			Children: []child.Specer{
				child.Spec{Name: "writer", Run: child.Func(func(context.Context) error {
					<-full
					return errDisk
				})},
			},
		}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	close(full)
	err = sup.Wait()
	fmt.Println(err)
	fmt.Println(errors.Is(err, errDisk))
	var exit *supervisor.ExitError
	for errors.As(err, &exit) { // from the root down
		fmt.Println(exit.Path, exit.Cause, exit.Child, exit.Restarts, exit.Exit.Kind)
		err = exit.Exit
	}
	// Output:
	// supervisor: shop gave up after 0 restarts: shop/ingest: gave up: supervisor: shop/ingest gave up after 1 restart: shop/ingest/writer: error: disk full
	// true
	// shop gave up shop/ingest 0 gave_up
	// shop/ingest gave up shop/ingest/writer 1 error
}

// Why a supervisor ended.
func ExampleCause() {
	for _, decision := range []child.Decision{child.EscalateIt, child.ByType} {
		err := supervisor.Run(context.Background(), supervisor.Spec{
			Name:         "shop",
			AutoShutdown: supervisor.AnySignificant,
			Children: []child.Specer{child.Spec{
				Name: "job", Restart: child.Temporary, Significant: true,
				Run:    child.Func(func(context.Context) error { return errors.New("no work") }),
				Decide: func(child.Exit) child.Decision { return decision },
			}},
		})
		var exit *supervisor.ExitError
		if errors.As(err, &exit) {
			fmt.Println(exit.Cause, exit.Cause == supervisor.GaveUp)
		}
	}
	// Output:
	// gave up true
	// shut down false
}

// What siblings answered when they were stopped is listed, and is not part of
// the error's chain.
func ExampleAnswer() {
	errLog, errDisk := errors.New("log not written"), errors.New("disk full")
	err := supervisor.Run(context.Background(), supervisor.Spec{
		Name:      "shop",
		Intensity: strategies.Intensity{Period: time.Minute}, // no restart
		Backoff:   immediately,
		Children: []child.Specer{
			child.Spec{Name: "log", Run: child.Func(func(ctx context.Context) error {
				<-ctx.Done()
				return errLog
			})},
			child.Spec{Name: "writer", Run: child.Func(func(context.Context) error { return errDisk })},
		},
	})
	fmt.Println(errors.Is(err, errDisk), errors.Is(err, errLog))
	var exit *supervisor.ExitError
	if errors.As(err, &exit) {
		for _, a := range exit.Answers {
			fmt.Println(a.Path, a.Exit)
		}
	}
	// Output:
	// true false
	// shop/log error: log not written
}
