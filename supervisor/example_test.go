package supervisor_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/strategies"
	"github.com/coppice-go/coppice/supervisor"
	"github.com/thejerf/suture/v4"
)

// The examples use the default logger, which is quiet in tests.
func init() { slog.SetDefault(slog.New(slog.DiscardHandler)) }

// immediately restarts without a delay, so that the examples are quick.
var immediately = strategies.Backoff{Min: strategies.None}

// A tree of two goroutines. The reader fails in its first run and is started
// again; the end of the context stops both in the reverse order.
func Example() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	web := func(ctx context.Context) error {
		fmt.Println("the web server is up")
		child.Ready(ctx)
		<-ctx.Done()
		fmt.Println("the web server is down")
		return nil
	}
	reader := func(ctx context.Context) error {
		if child.Incarnation(ctx) == 1 {
			return errors.New("connection lost")
		}
		fmt.Println("the reader is up again")
		cancel()
		<-ctx.Done()
		fmt.Println("the reader is down")
		return nil
	}

	err := supervisor.Run(ctx, supervisor.Spec{
		Name:    "shop",
		Backoff: strategies.Backoff{Min: strategies.None}, // no delay before a restart
		Children: []child.Specer{
			child.Spec{Name: "web", Run: child.Func(web), Ready: child.Readiness{Call: true}},
			child.Spec{Name: "reader", Run: child.Func(reader)},
		},
	})
	fmt.Println(err)
	// Output:
	// the web server is up
	// the reader is up again
	// the reader is down
	// the web server is down
	// <nil>
}

// Run returns why a tree could not be kept alive: which child, how it ended,
// and how often it was tried.
func ExampleRun() {
	errDisk := errors.New("disk full")
	err := supervisor.Run(context.Background(), supervisor.Spec{
		Name:      "shop",
		Intensity: strategies.Intensity{Restarts: 2},
		Backoff:   immediately,
		Children: []child.Specer{
			child.Spec{Name: "writer", Run: child.Func(func(context.Context) error { return errDisk })},
		},
	})
	fmt.Println(err)
	fmt.Println(errors.Is(err, errDisk), supervisor.ExitStatus(err))
	// Output:
	// supervisor: shop gave up after 2 restarts: shop/writer: error: disk full
	// true 1
}

// The exit status of a program follows from what Run returned.
func ExampleExitStatus() {
	program := child.Spec{
		Name: "program",
		// A process that ended with code 3. See child/process for real ones.
		Run:    child.Func(func(context.Context) error { return &child.StatusError{Code: 3} }),
		Decide: func(child.Exit) child.Decision { return child.EscalateIt },
	}
	ctx := context.Background()
	failed := supervisor.Run(ctx, supervisor.Spec{Name: "shop", Children: []child.Specer{program}})
	invalid := supervisor.Run(ctx, supervisor.Spec{Name: "-"})
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	stopped := supervisor.Run(ctx, supervisor.Spec{Name: "shop"})

	fmt.Println(supervisor.ExitStatus(failed), supervisor.ExitStatus(invalid), supervisor.ExitStatus(stopped))
	if false { // as the last line of main
		os.Exit(supervisor.ExitStatus(failed))
	}
	// Output:
	// 3 2 0
}

// Start returns as soon as all children have started.
func ExampleStart() {
	ctx := context.Background()
	sup, err := supervisor.Start(ctx, supervisor.Spec{
		Name:     "shop",
		Children: []child.Specer{child.Spec{Name: "web", Run: child.Func(idle)}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	status, err := sup.Find("shop/web").Status()
	fmt.Println(status.State, err)
	fmt.Println(sup.Stop(ctx))
	// Output:
	// running <nil>
	// <nil>
}

// If a child cannot be started, those before it are stopped again.
func ExampleStart_fails() {
	_, err := supervisor.Start(context.Background(), supervisor.Spec{
		Name: "shop",
		Children: []child.Specer{
			child.Spec{Name: "web", Ready: child.Readiness{Call: true}, Run: child.Func(func(ctx context.Context) error {
				child.Ready(ctx)
				<-ctx.Done()
				fmt.Println("the web server is down")
				return nil
			})},
			child.Spec{Name: "cache", Ready: child.Readiness{Call: true}, Run: child.Func(func(context.Context) error {
				return errors.New("the port is taken")
			})},
		},
	})
	var exit *supervisor.ExitError
	if errors.As(err, &exit) {
		fmt.Println(exit.Cause, "-", exit.Child)
	}
	fmt.Println(err)
	// Output:
	// the web server is down
	// failed to start - shop/cache
	// supervisor: shop failed to start: shop/cache: failed to start: the port is taken
}

// New checks a spec and starts nothing; Serve runs it, here in a goroutine.
func ExampleNew() {
	sup, err := supervisor.New(supervisor.Spec{
		Name:     "shop",
		Children: []child.Specer{child.Spec{Name: "web", Run: child.Func(idle)}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() { _ = sup.Serve(ctx) }()
	for e := range sup.Events(ctx, 0) {
		fmt.Println(e)
		break
	}
	cancel()
	fmt.Println(sup.Wait())
	// Output:
	// shop/web started #1
	// <nil>
}

// A supervisor serves again after it has ended: from the spec, while the
// numbers of its children's runs go on.
func ExampleSupervisor_Serve() {
	up := make(chan uint64)
	sup, err := supervisor.New(supervisor.Spec{
		Name: "shop",
		Children: []child.Specer{child.Spec{Name: "web", Run: child.Func(func(ctx context.Context) error {
			up <- child.Incarnation(ctx)
			<-ctx.Done()
			return nil
		})}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for range 2 {
		ctx, cancel := context.WithCancel(context.Background())
		served := make(chan error)
		go func() { served <- sup.Serve(ctx) }()
		fmt.Printf("run %d, ", <-up)
		fmt.Print(errors.Is(sup.Serve(ctx), supervisor.ErrServing), ", ")
		cancel()
		err := <-served
		fmt.Println(err == nil || errors.Is(err, context.Canceled))
	}
	// Output:
	// run 1, true, true
	// run 2, true, true
}

// Wait returns what Run would return.
func ExampleSupervisor_Wait() {
	last := make(chan struct{})
	sup, err := supervisor.Start(context.Background(), supervisor.Spec{
		Name: "shop",
		Children: []child.Specer{child.Spec{Name: "job", Run: child.Func(func(context.Context) error {
			<-last
			return suture.ErrTerminateSupervisorTree
		})}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	close(last)
	err = sup.Wait()
	fmt.Println(err)
	fmt.Println(errors.Is(err, suture.ErrTerminateSupervisorTree))
	// Output:
	// supervisor: shop was terminated with its tree: shop/job: error: tree should be terminated
	// true
}

// Done is for a select.
func ExampleSupervisor_Done() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	sup, err := supervisor.Start(ctx, supervisor.Spec{Name: "shop"})
	if err != nil {
		fmt.Println(err)
		return
	}
	select {
	case <-sup.Done():
		fmt.Println("ended")
	default:
		fmt.Println("it runs")
	}
	cancel() // the end of Start's context is an orderly stop
	<-sup.Done()
	fmt.Println("ended:", sup.Wait())
	// Output:
	// it runs
	// ended: <nil>
}
