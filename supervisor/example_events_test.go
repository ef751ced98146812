package supervisor_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/supervisor"
)

// failsOnce is a service whose first run fails.
func failsOnce(ctx context.Context) error {
	if child.Incarnation(ctx) == 1 {
		return errors.New("connection lost")
	}
	return idle(ctx)
}

// flaky is a tree whose only child fails once.
func flaky() supervisor.Spec {
	return supervisor.Spec{Name: "shop", Backoff: immediately, Children: []child.Specer{
		child.Spec{Name: "reader", Run: child.Func(failsOnce)},
	}}
}

// Events tells all that has happened, and then what happens, until the tree has
// ended.
func ExampleSupervisor_Events() {
	ctx := context.Background()
	sup, err := supervisor.Start(ctx, flaky())
	if err != nil {
		fmt.Println(err)
		return
	}
	for e := range sup.Events(ctx, 0) {
		fmt.Println(e.Seq, e)
		if e.Kind == supervisor.ChildStarted && e.Incarnation == 2 {
			go func() { _ = sup.Stop(ctx) }()
		}
	}
	fmt.Println(sup.Wait())
	// Output:
	// 1 shop/reader started #1
	// 2 shop/reader exited #1: error: connection lost, restarts
	// 3 shop/reader started #2
	// 4 shop/reader stopping #2: shutdown
	// 5 shop/reader exited #2: normal, follows
	// <nil>
}

// An event is a value: its fields say who, what, and what follows.
func ExampleEvent() {
	ctx := context.Background()
	sup, err := supervisor.Start(ctx, flaky())
	if err != nil {
		fmt.Println(err)
		return
	}
	for e := range sup.Events(ctx, 0) {
		if e.Kind == supervisor.ChildExited {
			fmt.Println(e.Path, e.Incarnation, e.Exit.Kind, e.Exit.Text(), e.Next)
			break
		}
	}
	fmt.Println(sup.Stop(ctx))
	// Output:
	// shop/reader 1 error connection lost restarts
	// <nil>
}

// The kind of an event is for a switch, and prints as a word.
func ExampleEventKind() {
	count := map[supervisor.EventKind]int{}
	ctx := context.Background()
	sup := startShop()
	if err := sup.Find("shop/web").Bounce(ctx); err != nil {
		fmt.Println(err)
	}
	if err := sup.Stop(ctx); err != nil {
		fmt.Println(err)
	}
	for e := range sup.Events(ctx, 0) {
		count[e.Kind]++
	}
	for _, k := range []supervisor.EventKind{supervisor.ChildStarted, supervisor.ChildStopping, supervisor.ChildExited} {
		fmt.Println(k, count[k])
	}
	// Output:
	// started 5
	// stopping 5
	// exited 5
}

// What follows an exit is told with it.
func ExampleNext() {
	ctx := context.Background()
	sup, err := supervisor.Start(ctx, supervisor.Spec{Name: "shop", Backoff: immediately})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, restart := range []child.Restart{child.Permanent, child.Transient, child.Temporary} {
		place, err := sup.Ref().StartChild(ctx, child.Spec{
			Name: restart.String(), Restart: restart,
			Run: child.Func(func(ctx context.Context) error {
				if child.Incarnation(ctx) == 1 {
					return nil
				}
				return idle(ctx)
			}),
		})
		if err != nil {
			fmt.Println(err)
		}
		for e := range sup.Events(ctx, 0) {
			if e.Path == place.Path() && e.Kind == supervisor.ChildExited {
				fmt.Println(e.Path, e.Next)
				break
			}
		}
	}
	fmt.Println(sup.Stop(ctx))
	// Output:
	// shop/permanent restarts
	// shop/transient stays
	// shop/temporary goes
	// <nil>
}

// A snapshot is the whole tree; its Seq leads on to the events after it.
func ExampleSupervisor_Snapshot() {
	ctx := context.Background()
	sup := startShop()
	snapshot := sup.Snapshot()
	for status := range snapshot.Root.All() {
		fmt.Println(status.Path, status.State)
	}
	if err := sup.Stop(ctx); err != nil {
		fmt.Println(err)
	}
	for e := range sup.Events(ctx, snapshot.Seq) {
		fmt.Println(e)
		break
	}
	// Output:
	// shop running
	// shop/web running
	// shop/ingest running
	// shop/ingest/reader running
	// shop/ingest/writer running
	// shop/ingest stopping #1: shutdown
}

// Before a tree is served there is nothing but its root.
func ExampleSnapshot() {
	sup, err := supervisor.New(shop())
	if err != nil {
		fmt.Println(err)
		return
	}
	snapshot := sup.Snapshot()
	fmt.Println(snapshot.Root.Path, snapshot.Root.State, len(snapshot.Root.Children), snapshot.Seq)
	// Output:
	// shop down 0 0
}

// A status remembers how the last run ended, and how often it was restarted.
func ExampleStatus() {
	ctx := context.Background()
	sup, err := supervisor.Start(ctx, flaky())
	if err != nil {
		fmt.Println(err)
		return
	}
	for e := range sup.Events(ctx, 0) {
		if e.Kind == supervisor.ChildStarted && e.Incarnation == 2 {
			break
		}
	}
	status, err := sup.Find("shop/reader").Status()
	fmt.Println(status.State, status.Incarnation, status.Restarts, status.Last().Exit, err)
	fmt.Println(sup.Stop(ctx))
	// Output:
	// running 2 1 error: connection lost <nil>
	// <nil>
}

// The last end of a child that nobody asked for; zero if there was none.
func ExampleStatus_Last() {
	sup := startShop()
	status, err := sup.Find("shop/web").Status()
	last := status.Last()
	fmt.Println(last.Incarnation, last.At.IsZero(), err)
	fmt.Println(sup.Stop(context.Background()))
	// Output:
	// 0 true <nil>
	// <nil>
}

// The last deaths of a child are remembered, the oldest first.
func ExampleDeath() {
	ctx := context.Background()
	up := make(chan struct{})
	sup, err := supervisor.Start(ctx, supervisor.Spec{Name: "shop", Backoff: immediately, Children: []child.Specer{
		child.Spec{Name: "reader", Run: child.Func(func(ctx context.Context) error {
			if run := child.Incarnation(ctx); run < 3 {
				return fmt.Errorf("attempt %d failed", run)
			}
			close(up)
			return idle(ctx)
		})},
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	<-up
	status, err := sup.Find("shop/reader").Status()
	for _, death := range status.Deaths {
		fmt.Printf("#%d %s\n", death.Incarnation, death.Exit)
	}
	fmt.Println(err, sup.Stop(ctx))
	// Output:
	// #1 error: attempt 1 failed
	// #2 error: attempt 2 failed
	// <nil> <nil>
}

// A run that is watched shows its signs of life. This one does not answer the
// first ping, is stopped for that, and another takes its place.
func ExampleVitals() {
	ctx := context.Background()
	var pings atomic.Int32
	answered := make(chan struct{})
	sup, err := supervisor.Start(ctx, supervisor.Spec{Name: "shop", Backoff: immediately, Children: []child.Specer{child.Spec{
		Name: "writer", Run: child.Func(idle), Stuck: child.Escalate,
		Liveness: child.Liveness{Interval: 10 * time.Millisecond, Ping: func(context.Context) error {
			switch pings.Add(1) {
			case 1:
				return errors.New("the queue does not move")
			case 2:
				close(answered)
			}
			return nil
		}},
	}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for e := range sup.Events(ctx, 0) {
		if e.Kind == supervisor.ChildStopping {
			fmt.Println(e)
			break
		}
	}
	<-answered
	status, err := sup.Find("shop/writer").Status()
	fmt.Println(status.State, status.Vitals.Failures, !status.Vitals.LastSign.IsZero(), err)
	fmt.Println(sup.Stop(ctx))
	// Output:
	// shop/writer stopping #1: ping
	// running 0 true <nil>
	// <nil>
}

// All that is below a place, each before its children.
func ExampleStatus_All() {
	sup := startShop()
	root := sup.Snapshot().Root
	for status := range root.All() {
		if !status.Supervisor {
			fmt.Println(status.Path)
		}
	}
	fmt.Println(sup.Stop(context.Background()))
	// Output:
	// shop/web
	// shop/ingest/reader
	// shop/ingest/writer
	// <nil>
}

// A child that waits for its readiness is starting, one that a call has
// stopped is down.
func ExampleState() {
	ctx := context.Background()
	sup := startShop()
	warm := make(chan struct{})
	go func() {
		_, _ = sup.Ref().StartChild(ctx, child.Spec{
			Name: "cache", Ready: child.Readiness{Call: true},
			Run: child.Func(func(ctx context.Context) error {
				<-warm
				child.Ready(ctx)
				return idle(ctx)
			}),
		})
	}()
	cache := sup.Find("shop/cache")
	for e := range sup.Events(ctx, 0) {
		if e.Path != "shop/cache" || e.Kind == supervisor.ChildAdded {
			continue
		}
		status, err := cache.Status()
		fmt.Println(status.State, err)
		if e.Kind == supervisor.ChildStarted {
			break
		}
		close(warm)
	}
	fmt.Println(sup.Ref().TerminateChild(ctx, "cache"))
	status, err := cache.Status()
	fmt.Println(status.State, err)
	fmt.Println(sup.Stop(ctx))
	// Output:
	// starting <nil>
	// running <nil>
	// <nil>
	// down <nil>
	// <nil>
}
