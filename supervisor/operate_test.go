package supervisor_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/strategies"
	"github.com/coppice-go/coppice/supervisor"
)

// stateOf is where the child at path stands, and whether it is held.
func stateOf(t *testing.T, sup *supervisor.Supervisor, path string) (supervisor.State, bool) {
	t.Helper()
	s, err := sup.Find(path).Status()
	if err != nil {
		t.Fatal(err)
	}
	return s.State, s.Held
}

func TestAHeldChildStaysDownUntilACallStartsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		var fail atomic.Bool
		sup := start(t, supervisor.Spec{Name: "root", Backoff: noDelay, Children: []child.Specer{
			supervisor.Spec{Name: "sub", Strategy: strategies.OneForAll, Children: []child.Specer{
				child.Spec{Name: "held", Run: child.Func(idle)},
				child.Spec{Name: "other", Run: child.Func(idle)},
			}},
			child.Spec{Name: "bad", Run: child.Func(func(ctx context.Context) error {
				for !fail.Load() {
					select {
					case <-ctx.Done():
						return nil
					case <-time.After(time.Second):
					}
				}
				return errLife
			})},
		}})
		held := sup.Find("root/sub/held")
		if err := held.Hold(ctx); err != nil {
			t.Fatal(err)
		}
		stays := func(after string) {
			t.Helper()
			if state, is := stateOf(t, sup, "root/sub/held"); state != supervisor.Down || !is {
				t.Errorf("%s it is %v, held %v", after, state, is)
			}
			if state, _ := stateOf(t, sup, "root/sub/other"); state != supervisor.Running {
				t.Errorf("%s the other is %v", after, state)
			}
		}
		stays("after the hold")
		if err := sup.Find("root/sub").RestartAll(ctx); err != nil {
			t.Error(err)
		}
		stays("after a restart of all")
		if err := sup.Find("root/sub").Bounce(ctx); err != nil {
			t.Error(err)
		}
		stays("after a rebuilding")
		if err := sup.Find("root/sub").RestartChild(ctx, "held"); err != nil {
			t.Error(err)
		}
		if state, is := stateOf(t, sup, "root/sub/held"); state != supervisor.Running || is {
			t.Errorf("after a call it is %v, held %v", state, is)
		}
		if err := sup.Find("root/sub").Bounce(ctx); err != nil {
			t.Error(err)
		}
		if state, _ := stateOf(t, sup, "root/sub/held"); state != supervisor.Running {
			t.Errorf("after that a rebuilding leaves it %v", state)
		}
		if err := sup.Ref().Hold(ctx); !errors.Is(err, supervisor.ErrRootBounce) {
			t.Errorf("the root: %v", err)
		}
		_ = sup.Stop(ctx)
	})
}

func TestARollingRestartStopsAtTheFirstThatDoesNotStart(t *testing.T) {
	for _, n := range []int{0, 1, 2, 9} {
		synctest.Test(t, func(t *testing.T) {
			ctx := context.Background()
			var at, most atomic.Int32
			var broken atomic.Bool
			serve := func(name string) child.Func {
				return func(ctx context.Context) error {
					most.Store(max(most.Load(), at.Add(1)))
					time.Sleep(time.Second)
					at.Add(-1)
					if broken.Load() && name == "d" {
						return errLife
					}
					child.Ready(ctx)
					return idle(ctx)
				}
			}
			spec := supervisor.Spec{Name: "root"}
			for _, name := range strings.Split("abcdef", "") {
				spec.Children = append(spec.Children, child.Spec{Name: name, Run: serve(name), Ready: child.Readiness{Call: true}})
			}
			sup := start(t, spec)
			if err := sup.Ref().TerminateChild(ctx, "b"); err != nil {
				t.Fatal(err)
			}
			most.Store(0)
			if err := sup.Ref().Roll(ctx, n); err != nil {
				t.Errorf("%d at a time: %v", n, err)
			}
			if got := int(most.Load()); got != min(max(n, 1), 5) {
				t.Errorf("%d at a time: %d were", n, got)
			}
			want(t, "runs of a", sup.Snapshot().Root.Children[0].Incarnation, 2)
			want(t, "runs of b, which was down", sup.Snapshot().Root.Children[1].Incarnation, 1)

			broken.Store(true)
			if err := sup.Ref().Roll(ctx, n); !errors.Is(err, supervisor.ErrStartFailed) {
				t.Errorf("one that does not start: %v", err)
			}
			if n < 2 {
				want(t, "runs of c, before it", sup.Snapshot().Root.Children[2].Incarnation, 3)
				want(t, "runs of e, behind it", sup.Snapshot().Root.Children[4].Incarnation, 2)
			}
			_ = sup.Stop(ctx)
		})
	}
}
