package supervisor_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/strategies"
	"github.com/coppice-go/coppice/supervisor"
)

// What was counted at a place, as a collector of metrics shows it.
func ExampleCounts() {
	steady := make(chan struct{})
	sup := silently(context.Background(), supervisor.Spec{
		Name: "shop", Backoff: strategies.Backoff{Min: strategies.None},
		Children: []child.Specer{child.Spec{Name: "flaky", Run: child.Func(func(ctx context.Context) error {
			if child.Incarnation(ctx) < 3 {
				return errors.New("no")
			}
			close(steady)
			<-ctx.Done()
			return nil
		})}},
	})
	<-steady
	n := sup.Snapshot().Root.Children[0].Counts
	fmt.Println(n.Starts, "starts,", n.Exits[child.CauseError], "errors,", n.Restarts[child.CauseError], "restarts after them")
	_ = sup.Stop(context.Background())
	// Output: 3 starts, 2 errors, 2 restarts after them
}

// An operator stops a child, and it stays stopped until somebody starts it.
func ExampleRef_Hold() {
	ctx := context.Background()
	sup := silently(ctx, shopOf("web"))
	web := sup.Find("shop/web")
	_ = web.Hold(ctx)
	_ = sup.Ref().RestartAll(ctx)
	held, _ := web.Status()
	_ = sup.Ref().RestartChild(ctx, "web")
	freed, _ := web.Status()
	fmt.Println(held.State, held.Held, freed.State, freed.Held)
	_ = sup.Stop(ctx)
	// Output: down true running false
}

// All children get a new run, one at a time.
func ExampleRef_Roll() {
	ctx := context.Background()
	sup := silently(ctx, shopOf("a", "b"))
	err := sup.Ref().Roll(ctx, 1)
	for _, c := range sup.Snapshot().Root.Children {
		fmt.Println(c.Name, c.Incarnation)
	}
	fmt.Println(err)
	_ = sup.Stop(ctx)
	// Output:
	// a 2
	// b 2
	// <nil>
}

// What all children offer of one type, by their paths.
func ExampleOffers() {
	ctx := context.Background()
	said := make(chan struct{})
	sup := silently(ctx, supervisor.Spec{Name: "shop", Children: []child.Specer{
		child.Spec{Name: "web", Run: child.Func(func(ctx context.Context) error {
			child.Publish(ctx, "http://localhost:8080")
			close(said)
			<-ctx.Done()
			return nil
		})},
	}})
	<-said
	fmt.Println(supervisor.Offers[string](sup))
	_ = sup.Stop(ctx)
	// Output: map[shop/web:http://localhost:8080]
}

// Whoever shows what a program was given passes it through the tree's redactor.
func ExampleSupervisor_Redact() {
	sup, _ := supervisor.New(shopOf("web"))
	fmt.Println(sup.Redact("--password hunter2"))
	// Output: --password ***
}

// A page that is up to date needs no other snapshot.
func ExampleSupervisor_Seq() {
	ctx := context.Background()
	sup := silently(ctx, shopOf("web"))
	snap := sup.Snapshot()
	before := sup.Seq() == snap.Seq
	_ = sup.Find("shop/web").Bounce(ctx)
	fmt.Println(before, sup.Seq() == snap.Seq)
	_ = sup.Stop(ctx)
	// Output: true false
}

// silently starts a tree that logs nothing.
func silently(ctx context.Context, spec supervisor.Spec) *supervisor.Supervisor {
	sup, err := quiet.Start(ctx, spec)
	if err != nil {
		fmt.Println(err)
	}
	return sup
}

// shopOf is a tree of children that do nothing.
func shopOf(names ...string) supervisor.Spec {
	spec := supervisor.Spec{Name: "shop"}
	for _, name := range names {
		spec.Children = append(spec.Children, child.Spec{Name: name, Run: child.Func(idle)})
	}
	return spec
}
