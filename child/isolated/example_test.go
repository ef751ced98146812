//go:build unix

package isolated_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/child/isolated"
	"github.com/coppice-go/coppice/supervisor"
)

// Words and Shouted are what a function takes and returns.
type (
	Words   struct{ Text string }
	Shouted struct{ Text string }
)

// shout is known to the program and to every copy of it.
var shout = isolated.Register("shout", func(ctx context.Context, in Words) (Shouted, error) {
	child.Logger(ctx).Info("shouting")
	return Shouted{strings.ToUpper(in.Text) + "!"}, nil
})

// A function as a child. The first line of main (and of TestMain) is
// isolated.Main().
func Example() {
	worker := shout.With(Words{"timber"})
	worker.Result = func(_ context.Context, out Shouted) { fmt.Println(out.Text) }
	err := supervisor.Options{Logger: slog.New(slog.DiscardHandler)}.Run(context.Background(), supervisor.Spec{
		Name: "forest", AutoShutdown: supervisor.AllSignificant,
		Children: []child.Specer{child.Spec{Name: "worker", Run: worker, Restart: child.Transient, Significant: true}},
	})
	fmt.Println(err)
	// Output:
	// TIMBER!
	// <nil>
}

// One call of a function, outside of any tree.
func ExampleFunction_Call() {
	out, err := shout.Call(context.Background(), Words{"mind the branch"})
	fmt.Println(out.Text, err)
	// Output: MIND THE BRANCH! <nil>
}
