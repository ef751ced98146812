package supervisor_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/supervisor"
)

// A child finds its supervisor and has a sibling started.
func ExampleParent() {
	errs := make(chan error)
	ctx := context.Background()
	sup, err := supervisor.Start(ctx, supervisor.Spec{
		Name: "shop",
		Children: []child.Specer{child.Spec{Name: "web", Run: child.Func(func(ctx context.Context) error {
			_, err := supervisor.Parent(ctx).StartChild(ctx, child.Spec{Name: "helper", Run: child.Func(idle)})
			errs <- err
			<-ctx.Done()
			return nil
		})}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(<-errs)
	count, err := sup.Ref().Count()
	fmt.Println(count.Active, err)
	fmt.Println(sup.Stop(ctx))
	// Output:
	// <nil>
	// 2 <nil>
	// <nil>
}

// A child that names itself. Outside of a run there is no place.
func ExampleSelf() {
	places := make(chan supervisor.Ref)
	sup, err := supervisor.Start(context.Background(), supervisor.Spec{
		Name: "shop",
		Children: []child.Specer{child.Spec{Name: "web", Run: child.Func(func(ctx context.Context) error {
			places <- supervisor.Self(ctx)
			<-ctx.Done()
			return nil
		})}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	self := <-places
	fmt.Println(self, self == sup.Find("shop/web"))
	fmt.Println(supervisor.Self(context.Background()) == supervisor.Ref{})
	fmt.Println(sup.Stop(context.Background()))
	// Output:
	// shop/web true
	// true
	// <nil>
}

// greeter is what a child of the next example offers.
type greeter func(name string) string

// Get hands out what the run that lives now has published, and waits for it if
// need be: nobody talks to one that is gone.
func ExampleGet() {
	ctx := context.Background()
	sup, err := supervisor.Start(ctx, supervisor.Spec{
		Name: "shop",
		Children: []child.Specer{child.Spec{Name: "desk", Run: child.Func(func(ctx context.Context) error {
			run := child.Incarnation(ctx)
			child.Publish(ctx, greeter(func(name string) string { return fmt.Sprintf("desk #%d greets %s", run, name) }))
			<-ctx.Done()
			return nil
		})}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	desk := sup.Find("shop/desk")
	for _, name := range []string{"Ada", "Grace"} {
		greet, err := supervisor.Get[greeter](ctx, desk)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(greet(name))
		if err := desk.Bounce(ctx); err != nil {
			fmt.Println(err)
		}
	}
	fmt.Println(sup.Ref().TerminateChild(ctx, "desk"))
	_, err = supervisor.Get[greeter](ctx, desk)
	fmt.Println(errors.Is(err, supervisor.ErrNotOffered))
	fmt.Println(sup.Stop(ctx))
	// Output:
	// desk #1 greets Ada
	// desk #2 greets Grace
	// <nil>
	// true
	// <nil>
}

// config is what the child of the next example offers: a child.Reloader.
type config string

// Reload reads the configuration again.
func (c config) Reload(context.Context) error {
	fmt.Println("reading", c, "again")
	return nil
}

// A child that offers a Reloader can be asked to read its configuration again.
// A program does so when it gets its signal.
func ExampleRef_Reload() {
	ctx := context.Background()
	up := make(chan struct{})
	sup, err := supervisor.Start(ctx, supervisor.Spec{Name: "shop", Children: []child.Specer{
		child.Spec{Name: "web", Run: child.Func(func(ctx context.Context) error {
			child.Publish(ctx, config("web.conf"))
			close(up)
			return idle(ctx)
		})},
		child.Spec{Name: "reader", Run: child.Func(idle)},
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	<-up
	fmt.Println(sup.Find("shop/web").Reload(ctx))
	fmt.Println(sup.Find("shop/reader").Reload(ctx))
	fmt.Println(sup.Stop(ctx))
	// Output:
	// reading web.conf again
	// <nil>
	// supervisor: reload shop/reader: nothing there can be reloaded
	// <nil>
}
