package supervisortest_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/supervisor"
	"github.com/coppice-go/coppice/supervisor/supervisortest"
)

// A reader that loses its connection once. In a test the same lines stand
// within synctest.Test, where the second of delay costs no time.
func Example() {
	lost := errors.New("connection lost")
	reader := func(ctx context.Context) error {
		if child.Incarnation(ctx) == 1 {
			return lost
		}
		<-ctx.Done()
		return nil
	}
	ctx := context.Background()
	sup, err := supervisor.Options{Logger: slog.New(slog.DiscardHandler)}.Start(ctx, supervisor.Spec{
		Name:     "shop",
		Children: []child.Specer{child.Spec{Name: "reader", Run: child.Func(reader)}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	w := supervisortest.Watch(ctx, sup)
	fmt.Println(w.Expect(
		supervisortest.Exited("shop/reader", child.Failed).And(supervisortest.Cause(lost)),
		supervisortest.Restarted("shop/reader"),
	))
	fmt.Println(sup.Stop(ctx))
	fmt.Println(w.ExpectExactly(
		supervisortest.Stopping("shop/reader", child.ByShutdown),
		supervisortest.Terminated("shop/reader"),
	))
	// Output:
	// <nil>
	// <nil>
	// <nil>
}

// What came is shown beside what was expected: a number for what fits, an arrow
// for where they differ.
func ExampleWatcher_ExpectExactly() {
	ctx := context.Background()
	web := child.Func(func(ctx context.Context) error { <-ctx.Done(); return nil })
	sup, err := supervisor.Options{Logger: slog.New(slog.DiscardHandler)}.Start(ctx, supervisor.Spec{
		Name:     "shop",
		Children: []child.Specer{child.Spec{Name: "web", Run: web}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	w := supervisortest.Watch(ctx, sup)
	w.Timeout = time.Millisecond
	fmt.Println(w.ExpectExactly(
		supervisortest.Started("shop/web"),
		supervisortest.Exited("shop/web", child.Normal).Or(supervisortest.Killed("shop/web")),
	))
	fmt.Println(sup.Stop(ctx))
	// Output:
	// supervisortest: waiting for 2 of 2, (shop/web exited: normal or shop/web killed): it did not come in time (1ms)
	// expected, in this order and nothing else:
	//     1 shop/web started
	// >   2 (shop/web exited: normal or shop/web killed)
	// came:
	//     1 +0s shop/web started #1
	// <nil>
}
