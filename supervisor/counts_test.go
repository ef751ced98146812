package supervisor_test

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/strategies"
	"github.com/coppice-go/coppice/supervisor"
)

// counted is what was counted at that path, former children included.
func counted(t *testing.T, s supervisor.Status, path string) supervisor.Counts {
	t.Helper()
	if n := lookFor(&s, path); n != nil {
		return *n
	}
	t.Errorf("nothing is counted at %s", path)
	return supervisor.Counts{}
}

func lookFor(s *supervisor.Status, path string) *supervisor.Counts {
	if s.Path == path {
		return &s.Counts
	}
	for _, below := range [][]supervisor.Status{s.Children, s.Former} {
		for i := range below {
			if n := lookFor(&below[i], path); n != nil {
				return n
			}
		}
	}
	return nil
}

func want(t *testing.T, what string, got, want uint64) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %d, want %d", what, got, want)
	}
}

// dies fails at its first n runs.
func dies(n int, err error) child.Func {
	return func(ctx context.Context) error {
		if child.Incarnation(ctx) <= uint64(n) {
			return err
		}
		<-ctx.Done()
		return nil
	}
}

func TestWhatIsCountedSurvivesTheRestartOfASubtree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		sup := start(t, supervisor.Spec{Name: "root", Backoff: noDelay, Children: []child.Specer{
			supervisor.Spec{Name: "sub", Backoff: noDelay, Intensity: strategies.Intensity{Restarts: 2, Period: time.Hour}, Children: []child.Specer{
				child.Spec{Name: "bad", Run: dies(5, errors.New("no"))},
				child.Spec{Name: "good", Run: child.Func(idle)},
			}},
		}})
		synctest.Wait()
		root := sup.Snapshot().Root
		bad, good, sub := counted(t, root, "root/sub/bad"), counted(t, root, "root/sub/good"), counted(t, root, "root/sub")
		want(t, "starts of the bad one", bad.Starts, 6)
		want(t, "its errors", bad.Exits[child.CauseError], 5)
		want(t, "its restarts", bad.Restarts[child.CauseError], 4) // the sixth run came with a new supervisor
		want(t, "starts of the good one", good.Starts, 2)
		want(t, "its stops", good.Exits[child.CauseStop], 1)
		want(t, "giving up", sub.GaveUp, 1)
		want(t, "the supervisor's exits", sub.Exits[child.CauseGaveUp], 1)
		want(t, "its restarts", sub.Restarts[child.CauseGaveUp], 1)
		if err := sup.Stop(ctx); err != nil {
			t.Error(err)
		}
		want(t, "starts after the end", counted(t, sup.Snapshot().Root, "root/sub/bad").Starts, 6)
	})
}

func TestWhatIsCountedStaysWhenAChildGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		sup := start(t, supervisor.Spec{Name: "root", Children: []child.Specer{
			supervisor.Spec{Name: "pool", Template: func(any) child.Spec {
				return supervisor.Spec{Name: "", Children: []child.Specer{
					child.Spec{Name: "worker", Run: child.Func(idle)},
				}}.ChildSpec()
			}},
		}})
		pool := sup.Find("root/pool")
		for i := range 20 {
			if _, err := pool.StartChild(ctx, nil); err != nil {
				t.Fatal(err)
			}
			if i%2 == 0 {
				if err := pool.TerminateChild(ctx, strconv.Itoa(i+1)); err != nil {
					t.Fatal(err)
				}
			}
		}
		s := sup.Snapshot().Root.Children[0]
		own, below := s.Gone["*"], s.Gone["*/worker"]
		want(t, "starts of those that went", own.Starts, 10)
		want(t, "their stops", own.Exits[child.CauseStop], 10)
		want(t, "starts below them", below.Starts, 10)
		want(t, "places that went", uint64(len(s.Gone)), 2)
		want(t, "children that are left", uint64(len(s.Children)), 10)
		_ = sup.Stop(ctx)
	})
}

func TestACountForEveryWayToStartAndToEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		failing := func(ctx context.Context) error {
			switch child.Incarnation(ctx) {
			case 2:
				return &child.StartError{Err: errors.New("short of something"), Temporary: true}
			case 3:
				return &child.StartError{Err: errors.New("missing")}
			}
			child.Ready(ctx)
			if child.Incarnation(ctx) == 1 {
				panic("oh")
			}
			<-ctx.Done()
			return nil
		}
		sup := start(t, supervisor.Spec{Name: "root", Strategy: strategies.OneForAll, Backoff: noDelay,
			Intensity: strategies.Intensity{Restarts: 9, Period: time.Hour},
			Children: []child.Specer{
				child.Spec{Name: "first", Run: child.Func(idle)},
				child.Spec{Name: "second", Run: child.Func(failing), Ready: child.Readiness{Call: true}},
				child.Spec{Name: "deaf", Shutdown: time.Second, Run: child.Func(func(ctx context.Context) error {
					<-child.Killed(ctx)
					return nil
				})},
			}})
		time.Sleep(time.Minute)
		if err := sup.Ref().RestartAll(ctx); err != nil {
			t.Error(err)
		}
		if err := sup.Find("root/second").Bounce(ctx); err != nil {
			t.Error(err)
		}
		root := sup.Snapshot().Root
		first, second, deaf := counted(t, root, "root/first"), counted(t, root, "root/second"), counted(t, root, "root/deaf")
		want(t, "first: restarts with the group", first.Restarts[child.CauseGroup], first.Exits[child.CauseGroup])
		want(t, "first: restarts of all", first.Restarts[child.CauseBounce], 1)
		want(t, "second: starts", second.Starts, 6)
		want(t, "second: panics", second.Exits[child.CausePanic], 1)
		want(t, "second: restarts after them", second.Restarts[child.CausePanic], 1)
		want(t, "second: errors", second.Exits[child.CauseError], 2)
		want(t, "second: starts that failed for now", second.TemporaryFailures, 1)
		want(t, "second: starts that failed for good", second.PermanentFailures, 1)
		want(t, "second: bounces", second.Restarts[child.CauseBounce], 2)
		want(t, "deaf: graces that were over", deaf.Overdue, deaf.Starts-1)
		for _, c := range root.Children {
			var ended uint64
			for _, n := range c.Counts.Exits {
				ended += n
			}
			want(t, c.Name+": runs that have not ended", c.Counts.Starts-ended, 1)
		}
		_ = sup.Stop(ctx)
	})
}
