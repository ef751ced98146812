package supervisor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/strategies"
)

func TestNobodyIsLookedAtWhoseRunHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		random := rand.New(rand.NewPCG(1, 2))
		// moody lives for a while, and may beat, fail, or end in silence.
		moody := func(seed uint64) child.Func {
			return func(ctx context.Context) error {
				r := rand.New(rand.NewPCG(seed, child.Incarnation(ctx)))
				tick := time.NewTicker(time.Duration(1+r.IntN(300)) * time.Millisecond)
				defer tick.Stop()
				for range r.IntN(100) {
					if r.IntN(4) > 0 {
						child.Beat(ctx)
					}
					select {
					case <-ctx.Done():
						return nil
					case <-tick.C:
					}
				}
				return errors.New("moody")
			}
		}
		spec := Spec{
			Name: "root", StopTogether: true, Backoff: strategies.Backoff{Min: strategies.None},
			Intensity: strategies.Intensity{Restarts: strategies.Unlimited},
		}
		for i := range 200 {
			c := child.Spec{Name: fmt.Sprintf("c%d", i), Run: moody(uint64(i)), Stuck: child.Escalate}
			switch i % 4 {
			case 0:
				c.Liveness.Timeout = 500 * time.Millisecond
			case 1:
				c.Liveness = child.Liveness{Timeout: 200 * time.Millisecond, MaxRun: 3 * time.Second}
			case 2:
				c.Liveness = child.Liveness{Interval: time.Second, Silence: time.Second, Ping: func(context.Context) error {
					if rand.IntN(10) == 0 {
						return errors.New("moody")
					}
					return nil
				}}
			case 3:
				c.Ready.After = 50 * time.Millisecond
				c.Liveness.Timeout = 500 * time.Millisecond
			}
			spec.Children = append(spec.Children, c)
		}
		s, err := Options{Logger: slog.New(slog.DiscardHandler)}.Start(t.Context(), spec)
		if err != nil {
			t.Fatal(err)
		}
		ctx := context.Background()
		for range 100 {
			time.Sleep(50 * time.Millisecond)
			name := fmt.Sprintf("c%d", random.IntN(200))
			switch random.IntN(3) {
			case 0:
				_ = s.Ref().TerminateChild(ctx, name)
			case 1:
				_ = s.Ref().RestartChild(ctx, name)
			case 2:
				_ = s.Find("root/" + name).Bounce(ctx)
			}
			lookedAt(t, s)
		}
		if err := s.Stop(ctx); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Minute) // until the last pings have ended
		synctest.Wait()
		if n := len(s.tree.watch.sweeps); n != 0 {
			t.Errorf("%d sweeps go on", n)
		}
		if n := len(s.tree.asking.paths); n != 0 {
			t.Errorf("%d pings are under way", n)
		}
	})
}

func TestAReadyThatComesAfterTheEndOfItsRunIsNotLookedAt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := Options{Logger: slog.New(slog.DiscardHandler)}.Start(t.Context(), Spec{Name: "root"})
		if err != nil {
			t.Fatal(err)
		}
		old := make(chan context.Context, 1)
		_, err = s.Ref().StartChild(t.Context(), child.Spec{
			Name: "w", Stuck: child.Escalate, Ready: child.Readiness{Call: true}, Liveness: child.Liveness{Timeout: time.Second},
			Run: child.Func(func(ctx context.Context) error {
				old <- ctx
				return nil
			}),
		})
		if err == nil {
			t.Error("it has started")
		}
		ctx := <-old
		child.Ready(ctx)
		child.Beat(ctx)
		if len(s.tree.watch.sweeps) != 0 {
			t.Error("somebody looks at it")
		}
		_ = s.Stop(context.Background())
	})
}

// lookedAt checks that exactly the runs that are ready are looked at, each in
// the place that it knows.
func lookedAt(t *testing.T, s *Supervisor) {
	t.Helper()
	synctest.Wait()
	running := map[string]uint64{}
	for _, c := range s.Snapshot().Root.Children {
		if c.State == Running {
			running[c.Path] = c.Incarnation
		}
	}
	w := &s.tree.watch
	w.mu.Lock()
	defer w.mu.Unlock()
	for pause, sweep := range w.sweeps {
		for i, v := range sweep.runs {
			if int(v.place) != i || v.pause != pause || running[v.run.path] != v.run.incarnation {
				t.Fatalf("%s #%d is looked at in place %d, and #%d is running", v.run.path, v.run.incarnation, v.place, running[v.run.path])
			}
			delete(running, v.run.path)
		}
	}
	if len(running) > 0 {
		t.Fatalf("nobody looks at %v", running)
	}
}
