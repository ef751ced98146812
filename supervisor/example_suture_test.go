package supervisor_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/supervisor"
	"github.com/thejerf/suture/v4"
)

// A tree is a service that a suture supervisor can run. It hears of the tree's
// end, and lets it be after a Stop.
func ExampleSupervisor_suture() {
	sup, err := supervisor.New(supervisor.Spec{
		Name:     "shop",
		Children: []child.Specer{child.Spec{Name: "web", Run: child.Func(idle)}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	above := suture.New("above", suture.Spec{EventHook: func(e suture.Event) { fmt.Println(e) }})
	above.Add(sup)
	ctx, cancel := context.WithCancel(context.Background())
	ended := above.ServeBackground(ctx)
	for e := range sup.Events(ctx, 0) {
		fmt.Println(e)
		break
	}
	cancel()
	fmt.Println(errors.Is(<-ended, context.Canceled), sup.Wait())
	// Output:
	// shop/web started #1
	// true <nil>
}

// A suture supervisor is a service too, and so a child. Fresh makes a new one
// for each run.
func Example_suture() {
	up := make(chan string)
	sup, err := supervisor.Start(context.Background(), supervisor.Spec{
		Name: "shop",
		Children: []child.Specer{child.Spec{
			Name: "old",
			Run: child.Fresh(func() child.Service {
				below := suture.NewSimple("below")
				below.Add(child.Func(func(ctx context.Context) error {
					up <- fmt.Sprintf("%s #%d", child.Path(ctx), child.Incarnation(ctx))
					<-ctx.Done()
					return nil
				}))
				return below
			}),
		}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(<-up) // a service of suture's has the context of the child that it is part of
	bounced := make(chan error)
	go func() { bounced <- sup.Find("shop/old").Bounce(context.Background()) }()
	fmt.Println(<-up)
	fmt.Println(<-bounced, sup.Stop(context.Background()))
	// Output:
	// shop/old #1
	// shop/old #2
	// <nil> <nil>
}
