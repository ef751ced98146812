package supervisor_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/strategies"
	"github.com/coppice-go/coppice/supervisor"
)

// A tree is data, and supervisors nest: the child of a supervisor may be a
// supervisor with a policy of its own.
func ExampleSpec() {
	shop := supervisor.Spec{
		Name: "shop",
		Children: []child.Specer{
			child.Spec{Name: "web", Run: child.Func(idle), Shutdown: 20 * time.Second},
			supervisor.Spec{
				Name:      "ingest",
				Strategy:  strategies.OneForAll,
				Intensity: strategies.OTP(),
				Children: []child.Specer{
					child.Spec{Name: "reader", Run: child.Func(idle)},
					child.Spec{Name: "writer", Run: child.Func(idle), Restart: child.Transient},
				},
			},
		},
	}
	sup, err := supervisor.Start(context.Background(), shop)
	if err != nil {
		fmt.Println(err)
		return
	}
	snapshot := sup.Snapshot()
	for status := range snapshot.Root.All() {
		fmt.Println(status.Path, status.State)
	}
	fmt.Println(sup.Stop(context.Background()))
	// Output:
	// shop running
	// shop/web running
	// shop/ingest running
	// shop/ingest/reader running
	// shop/ingest/writer running
	// <nil>
}

// Under one_for_all the children share their fate: when the reader fails, the
// writer is stopped, and both are started again in order.
func ExampleSpec_strategy() {
	broken, up := make(chan struct{}), make(chan string)
	worker := child.Func(func(ctx context.Context) error {
		up <- fmt.Sprintf("%s #%d", child.Path(ctx), child.Incarnation(ctx))
		child.Ready(ctx)
		select {
		case <-broken:
			return errors.New("connection lost")
		case <-ctx.Done():
			return nil
		}
	})
	ready := child.Readiness{Call: true}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() {
		ended <- supervisor.Run(ctx, supervisor.Spec{
			Name:     "ingest",
			Strategy: strategies.OneForAll,
			Backoff:  immediately,
			Children: []child.Specer{
				child.Spec{Name: "reader", Run: worker, Ready: ready},
				child.Spec{Name: "writer", Run: worker, Ready: ready},
			},
		})
	}()
	fmt.Println(<-up)
	fmt.Println(<-up)
	broken <- struct{}{} // one of them fails
	fmt.Println(<-up)
	fmt.Println(<-up)
	cancel()
	fmt.Println(<-ended)
	// Output:
	// ingest/reader #1
	// ingest/writer #1
	// ingest/reader #2
	// ingest/writer #2
	// <nil>
}

// Every mistake is reported, each with its path, field and value.
func ExampleSpec_Validate() {
	err := supervisor.Spec{
		Name: "shop",
		Children: []child.Specer{
			child.Spec{Name: "web server", Run: child.Func(idle)},
			child.Spec{Name: "cache"},
			supervisor.Spec{Name: "ingest", MaxChildren: -1, Children: []child.Specer{
				child.Spec{Name: "reader", Run: child.Func(idle), Shutdown: -time.Minute},
			}},
		},
	}.Validate()
	var invalid *supervisor.InvalidError
	if errors.As(err, &invalid) {
		for _, mistake := range invalid.Mistakes {
			fmt.Println(mistake)
		}
	}
	// Output:
	// shop[0]: Name: "web server": holds ' '; letters, digits, '.', '_' and '-' are allowed
	// shop/cache: Run: nil: must not be nil
	// shop/ingest: MaxChildren: -1: must not be negative
	// shop/ingest/reader: Shutdown: -1m0s: must not be negative
}

// The parts of a mistake are there for programs, too.
func ExampleInvalidError() {
	_, err := supervisor.New(supervisor.Spec{Name: "shop", Intensity: strategies.Intensity{Restarts: -7}})
	fmt.Println(err)
	var mistake *supervisor.SpecError
	if errors.As(err, &mistake) {
		fmt.Println(mistake.Path, mistake.Field, mistake.Value)
	}
	// Output:
	// supervisor: invalid spec: shop: Intensity.Restarts: -7: must be 0 or more, or Unlimited (-1)
	// shop Intensity.Restarts -7
}

// A mistake in a child that a call brings along is reported in the same way.
func ExampleSpecError() {
	ctx := context.Background()
	sup, err := supervisor.Start(ctx, supervisor.Spec{Name: "shop"})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = sup.Ref().StartChild(ctx, child.Spec{Name: "job"})
	var mistake *supervisor.SpecError
	if errors.As(err, &mistake) {
		fmt.Printf("the %s of %s %s\n", mistake.Field, mistake.Path, mistake.Reason)
	}
	fmt.Println(sup.Stop(ctx))
	// Output:
	// the Run of shop/job must not be nil
	// <nil>
}

// A spec shows data, and of services and functions the names.
func ExampleSpec_MarshalJSON() {
	spec := supervisor.Spec{
		Name:      "shop",
		Strategy:  strategies.RestForOne,
		Intensity: strategies.Intensity{Restarts: 5, Period: time.Minute},
		Children:  []child.Specer{child.Spec{Name: "news", Run: feed{url: "https://news.example"}}},
	}
	text, err := json.Marshal(spec)
	fmt.Println(string(text), err)
	// Output:
	// {"name":"shop","strategy":"rest_for_one","intensity":"5/1m0s","children":[{"name":"news","run":"supervisor_test.feed"}]} <nil>
}

// Specs are compared by what they say.
func ExampleSpec_Equal() {
	web := child.Spec{Name: "web", Run: child.Func(idle)}
	a := supervisor.Spec{Name: "shop", Children: []child.Specer{web}}
	b := supervisor.Spec{Name: "shop", Children: []child.Specer{web}}
	fmt.Println(a.Equal(b))
	b.StopTogether = true
	fmt.Println(a.Equal(b))
	// Output:
	// true
	// false
}

// feed is a child of the user's own: it says itself what spec it has.
type feed struct{ url string }

// ChildSpec makes a feed a child.Specer.
func (f feed) ChildSpec() child.Spec {
	return child.Spec{Name: "feed-" + f.url, Run: f, Restart: child.Transient}
}

// Serve makes a feed a child.Service.
func (f feed) Serve(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

// A type that says what child it is stands among the children as it is.
func ExampleSpec_specer() {
	sup, err := supervisor.Start(context.Background(), supervisor.Spec{
		Name:     "shop",
		Children: []child.Specer{feed{"news.example"}, feed{"prices.example"}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	children, err := sup.Ref().Children()
	for _, c := range children {
		fmt.Println(c.Path)
	}
	fmt.Println(err, sup.Stop(context.Background()))
	// Output:
	// shop/feed-news.example
	// shop/feed-prices.example
	// <nil> <nil>
}

// A template makes children of arguments, and there may be a limit to their
// number.
func ExampleSpec_template() {
	ctx := context.Background()
	sup, err := supervisor.Start(ctx, supervisor.Spec{
		Name:        "sessions",
		MaxChildren: 2,
		Template: func(arg any) child.Spec {
			user := arg.(string)
			return child.Spec{
				Restart: child.Temporary,
				Run: child.Func(func(ctx context.Context) error {
					child.Publish(ctx, "the session of "+user)
					<-ctx.Done()
					return nil
				}),
			}
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, user := range []string{"ada", "grace", "rózsa"} {
		session, err := sup.Ref().StartChild(ctx, user)
		if err != nil {
			fmt.Println(err)
			continue
		}
		what, err := supervisor.Get[string](ctx, session)
		fmt.Println(session, what, err)
	}
	count, err := sup.Ref().Count()
	fmt.Println(count.Specs, count.Active, err)
	fmt.Println(sup.Stop(ctx))
	// Output:
	// sessions/1 the session of ada <nil>
	// sessions/2 the session of grace <nil>
	// supervisor: start_child sessions/3: the supervisor has as many children as it may
	// 1 2 <nil>
	// <nil>
}

// The children are stopped all at once: each of these waits for the other to
// be told. One after the other, the first would be killed for taking too long.
func ExampleSpec_stopTogether() {
	var told [2]chan struct{}
	for i := range told {
		told[i] = make(chan struct{})
	}
	worker := func(i int) child.Func {
		return func(ctx context.Context) error {
			<-ctx.Done()
			close(told[i])
			<-told[1-i]
			return nil
		}
	}
	sup, err := supervisor.Start(context.Background(), supervisor.Spec{
		Name:         "shop",
		StopTogether: true,
		Children: []child.Specer{
			child.Spec{Name: "one", Run: worker(0), Shutdown: child.Infinity},
			child.Spec{Name: "two", Run: worker(1), Shutdown: child.Infinity},
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(sup.Stop(context.Background()))
	// Output:
	// <nil>
}

// A supervisor ends by itself when its significant child has done its work,
// and takes those with it that only serve that work.
func ExampleAutoShutdown() {
	err := supervisor.Run(context.Background(), supervisor.Spec{
		Name:         "import",
		AutoShutdown: supervisor.AnySignificant,
		Children: []child.Specer{
			child.Spec{Name: "cache", Run: child.Func(idle)},
			child.Spec{
				Name: "job", Restart: child.Transient, Significant: true,
				Run: child.Func(func(context.Context) error {
					fmt.Println("the work is done")
					return nil
				}),
			},
		},
	})
	fmt.Println(err)
	// Output:
	// the work is done
	// <nil>
}
