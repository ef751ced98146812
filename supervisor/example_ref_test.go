package supervisor_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/supervisor"
)

// shop is a tree that is at rest: a web server, and two workers below ingest.
func shop() supervisor.Spec {
	worker := child.Func(idle)
	return supervisor.Spec{Name: "shop", Children: []child.Specer{
		child.Spec{Name: "web", Run: worker},
		supervisor.Spec{Name: "ingest", Children: []child.Specer{
			child.Spec{Name: "reader", Run: worker},
			child.Spec{Name: "writer", Run: worker, Restart: child.Transient},
		}},
	}}
}

// startShop starts it.
func startShop() *supervisor.Supervisor {
	sup, err := supervisor.Start(context.Background(), shop())
	if err != nil {
		panic(err)
	}
	return sup
}

// states prints where the children of a supervisor stand.
func states(sup supervisor.Ref) {
	children, err := sup.Children()
	if err != nil {
		fmt.Println(err)
	}
	for _, c := range children {
		fmt.Printf("%s #%d %s\n", c.Path, c.Incarnation, c.State)
	}
}

// A Ref names a place and stays good through restarts: it asks who is there
// now.
func ExampleRef() {
	ctx := context.Background()
	sup := startShop()
	writer := sup.Find("shop/ingest/writer")
	for range 2 {
		status, err := writer.Status()
		fmt.Println(status.Incarnation, status.State, err)
		if err := sup.Find("shop/ingest").Bounce(ctx); err != nil { // all of it is made anew
			fmt.Println(err)
		}
	}
	fmt.Println(sup.Stop(ctx))
	// Output:
	// 1 running <nil>
	// 2 running <nil>
	// <nil>
}

// The place of the root.
func ExampleSupervisor_Ref() {
	sup := startShop()
	fmt.Println(sup.Ref())
	fmt.Println(sup.Stop(context.Background()))
	// Output:
	// shop
	// <nil>
}

// Find names a place; whether anything is there shows in a call.
func ExampleSupervisor_Find() {
	sup := startShop()
	for _, path := range []string{"shop/ingest/reader", "shop/nobody"} {
		_, err := sup.Find(path).Status()
		fmt.Println(path, err)
	}
	fmt.Println(sup.Stop(context.Background()))
	// Output:
	// shop/ingest/reader <nil>
	// shop/nobody supervisor: which_child shop/nobody: no child of that name
	// <nil>
}

// From one place to others of the same tree.
func ExampleRef_Find() {
	sup := startShop()
	web := sup.Ref().Child("web")
	fmt.Println(web == sup.Find("shop/web"), web.Find("shop/ingest/reader").Path())
	fmt.Println(sup.Stop(context.Background()))
	// Output:
	// true shop/ingest/reader
	// <nil>
}

// Down the tree by names.
func ExampleRef_Child() {
	sup := startShop()
	fmt.Println(sup.Ref().Child("ingest").Child("reader"))
	fmt.Println(sup.Stop(context.Background()))
	// Output:
	// shop/ingest/reader
	// <nil>
}

// A child that is added is the last; one of that name must not be there.
func ExampleRef_StartChild() {
	ctx := context.Background()
	sup := startShop()
	job := child.Spec{Name: "job", Run: child.Func(idle), Restart: child.Temporary}
	place, err := sup.Ref().StartChild(ctx, job)
	fmt.Println(place, err)
	_, err = sup.Ref().StartChild(ctx, job)
	fmt.Println(errors.Is(err, supervisor.ErrAlreadyStarted), err)
	states(sup.Ref())
	fmt.Println(sup.Stop(ctx))
	// Output:
	// shop/job <nil>
	// true supervisor: start_child shop/job: a child of that name is running
	// shop/web #1 running
	// shop/ingest #1 running
	// shop/job #1 running
	// <nil>
}

// A child that is terminated stays down and keeps its place.
func ExampleRef_TerminateChild() {
	ctx := context.Background()
	sup := startShop()
	ingest := sup.Find("shop/ingest")
	fmt.Println(ingest.TerminateChild(ctx, "reader"))
	states(ingest)
	fmt.Println(ingest.TerminateChild(ctx, "nobody"))
	fmt.Println(sup.Stop(ctx))
	// Output:
	// <nil>
	// shop/ingest/reader #1 down
	// shop/ingest/writer #1 running
	// supervisor: terminate_child shop/ingest/nobody: no child of that name
	// <nil>
}

// A child that is down is started again.
func ExampleRef_RestartChild() {
	ctx := context.Background()
	sup := startShop()
	ingest := sup.Find("shop/ingest")
	fmt.Println(ingest.RestartChild(ctx, "reader"))
	fmt.Println(ingest.TerminateChild(ctx, "reader"), ingest.RestartChild(ctx, "reader"))
	states(ingest)
	fmt.Println(sup.Stop(ctx))
	// Output:
	// supervisor: restart_child shop/ingest/reader: the child is running
	// <nil> <nil>
	// shop/ingest/reader #2 running
	// shop/ingest/writer #1 running
	// <nil>
}

// A child that is down is forgotten.
func ExampleRef_DeleteChild() {
	ctx := context.Background()
	sup := startShop()
	ingest := sup.Find("shop/ingest")
	fmt.Println(ingest.DeleteChild(ctx, "reader"))
	fmt.Println(ingest.TerminateChild(ctx, "reader"), ingest.DeleteChild(ctx, "reader"))
	states(ingest)
	fmt.Println(sup.Stop(ctx))
	// Output:
	// supervisor: delete_child shop/ingest/reader: the child is running
	// <nil> <nil>
	// shop/ingest/writer #1 running
	// <nil>
}

// Bounce stops a child and starts it again. Its siblings are not touched, and
// it does not count as a restart.
func ExampleRef_Bounce() {
	ctx := context.Background()
	sup := startShop()
	fmt.Println(sup.Find("shop/ingest/reader").Bounce(ctx))
	states(sup.Find("shop/ingest"))
	fmt.Println(sup.Ref().Bounce(ctx))
	fmt.Println(sup.Stop(ctx))
	// Output:
	// <nil>
	// shop/ingest/reader #2 running
	// shop/ingest/writer #1 running
	// supervisor: bounce shop: the root has no supervisor to bounce it
	// <nil>
}

// RestartAll starts those again that ran. What was down stays down.
func ExampleRef_RestartAll() {
	ctx := context.Background()
	sup := startShop()
	fmt.Println(sup.Find("shop/ingest").TerminateChild(ctx, "reader"))
	fmt.Println(sup.Find("shop/ingest").RestartAll(ctx))
	states(sup.Find("shop/ingest"))
	fmt.Println(sup.Stop(ctx))
	// Output:
	// <nil>
	// <nil>
	// shop/ingest/reader #1 down
	// shop/ingest/writer #2 running
	// <nil>
}

// The children are listed in start order, without what is below them.
func ExampleRef_Children() {
	sup := startShop()
	children, err := sup.Ref().Children()
	for _, c := range children {
		fmt.Println(c.Name, c.State, c.Supervisor)
	}
	fmt.Println(err)
	_, err = sup.Find("shop/web").Children()
	fmt.Println(err)
	fmt.Println(sup.Stop(context.Background()))
	// Output:
	// web running false
	// ingest running true
	// <nil>
	// supervisor: which_children shop/web: no supervisor is at that path: shop/web is a worker
	// <nil>
}

// Count counts the children of one supervisor, not those below them.
func ExampleRef_Count() {
	ctx := context.Background()
	sup := startShop()
	count, err := sup.Ref().Count()
	fmt.Printf("%+v %v\n", count, err)
	fmt.Println(sup.Ref().TerminateChild(ctx, "web"))
	count, err = sup.Ref().Count()
	fmt.Printf("%+v %v\n", count, err)
	fmt.Println(sup.Stop(ctx))
	// Output:
	// {Specs:2 Active:2 Supervisors:1 Workers:1} <nil>
	// <nil>
	// {Specs:2 Active:1 Supervisors:1 Workers:1} <nil>
	// <nil>
}

// Specs, children with a live run, supervisors and workers.
func ExampleCount() {
	sup := startShop()
	count, err := sup.Find("shop/ingest").Count()
	fmt.Println(count.Specs, count.Active, count.Supervisors, count.Workers, err)
	fmt.Println(sup.Stop(context.Background()))
	// Output:
	// 2 2 0 2 <nil>
	// <nil>
}

// The spec of a child, as it was given.
func ExampleRef_Spec() {
	sup := startShop()
	spec, err := sup.Find("shop/ingest/writer").Spec()
	fmt.Println(spec.Name, spec.Restart, err)
	fmt.Println(sup.Stop(context.Background()))
	// Output:
	// writer transient <nil>
	// <nil>
}

// Where one place stands.
func ExampleRef_Status() {
	ctx := context.Background()
	sup := startShop()
	status, err := sup.Find("shop/web").Status()
	fmt.Println(status.Path, status.State, status.Incarnation, status.Restarts, err)
	fmt.Println(sup.Stop(ctx))
	// Output:
	// shop/web running 1 0 <nil>
	// <nil>
}

// A path is the names from the root's down.
func ExampleRef_Path() {
	sup := startShop()
	fmt.Println(sup.Ref().Child("ingest").Path())
	fmt.Println(sup.Stop(context.Background()))
	// Output:
	// shop/ingest
	// <nil>
}

// A call that did not do what it was asked for says which call, where, and why.
func ExampleCallError() {
	ctx := context.Background()
	sup := startShop()
	err := sup.Ref().DeleteChild(ctx, "web")
	fmt.Println(err)
	var call *supervisor.CallError
	if errors.As(err, &call) {
		fmt.Println(call.Call, call.Path, errors.Is(err, supervisor.ErrRunning))
	}
	fmt.Println(sup.Stop(ctx))
	// Output:
	// supervisor: delete_child shop/web: the child is running
	// delete_child shop/web true
	// <nil>
}

// A dynamic supervisor is brought to a number of children of a kind.
func ExampleRef_Scale() {
	ctx := context.Background()
	sup, err := supervisor.Start(ctx, supervisor.Spec{Name: "pool", Template: func(kind any) child.Spec {
		return child.Spec{Name: kind.(string), Run: child.Func(idle)}
	}})
	if err != nil {
		panic(err)
	}
	fmt.Println(sup.Ref().Scale(ctx, 3, "web"))
	states(sup.Ref())
	fmt.Println(sup.Ref().Scale(ctx, 1, "web"))
	states(sup.Ref())
	fmt.Println(sup.Stop(ctx))
	// Output:
	// <nil>
	// pool/web-1 #1 running
	// pool/web-2 #1 running
	// pool/web-3 #1 running
	// <nil>
	// pool/web-1 #1 running
	// <nil>
}
