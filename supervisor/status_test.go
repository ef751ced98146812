package supervisor_test

import (
	"context"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/strategies"
	"github.com/coppice-go/coppice/supervisor"
)

// What is said of one place is the same whoever asks for it.
func TestAStatusIsWhatTheSnapshotShows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fails := 0
		inner := one("worker", func(ctx context.Context) error {
			child.Publish(ctx, child.Facts{PID: 7})
			if fails++; fails <= 2 {
				time.Sleep(2 * time.Second)
				return errLife
			}
			return idle(ctx)
		})
		inner.Name = "inner"
		inner.Strategy, inner.Intensity = strategies.OneForAll, strategies.Intensity{Restarts: 5, Period: time.Hour}
		waits := child.Spec{Name: "waits", Run: child.Func(func(context.Context) error { return errLife })}
		sup := start(t, supervisor.Spec{Name: "root", Children: []child.Specer{inner, waits}})
		time.Sleep(10 * time.Second)
		snap := sup.Snapshot()
		for s := range snap.Root.All() {
			want := *s
			want.Children = nil
			if got, err := sup.Find(s.Path).Status(); err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%s: got\n%+v, %v\nwant\n%+v", s.Path, got, err, want)
			}
			all, _ := sup.Find(s.Path).Children()
			for i, got := range all {
				want := s.Children[i]
				want.Children = nil
				if !reflect.DeepEqual(got, want) {
					t.Errorf("among the children of %s: got\n%+v\nwant\n%+v", s.Path, got, want)
				}
			}
		}
		got, _ := sup.Find("root/inner").Status()
		if got.WindowRestarts != 2 || got.Strategy != strategies.OneForAll {
			t.Errorf("of the supervisor: got %+v", got)
		}
		_ = sup.Stop(context.Background())
	})
}

// A supervisor whose children are counted each by itself has a count of its own
// at its parent.
func TestAStatusShowsTheWindowThatASupervisorIsIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs := 0
		inner := one("worker", func(ctx context.Context) error {
			if runs++; runs <= 2 {
				return errLife
			}
			return idle(ctx)
		})
		inner.Name = "inner"
		inner.Intensity, inner.Backoff = strategies.Intensity{Period: time.Hour, Each: true}, noDelay
		sup := start(t, supervisor.Spec{Name: "root", Backoff: noDelay, Children: []child.Specer{inner}})
		synctest.Wait()
		if got := sup.Snapshot().Root.Children[0]; got.WindowRestarts != 2 {
			t.Errorf("got %+v", got)
		}
		_ = sup.Stop(context.Background())
	})
}

// What a service returns has no say in whether its start was complete.
func TestARunThatHadStartedHasNotFailedToStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sup := start(t, one("w", func(context.Context) error {
			time.Sleep(2 * time.Second)
			return &child.StartError{Err: errLife, Temporary: true}
		}))
		time.Sleep(3 * time.Second)
		got, err := sup.Find("root/w").Status()
		if d := got.Last(); d.Exit.Kind != child.Failed || d.Exit.Temporary || d.Lived != 2*time.Second || err != nil {
			t.Errorf("got %v (%s), temporary %v, after %v, %v", d.Exit, d.Exit.Kind, d.Exit.Temporary, d.Lived, err)
		}
		_ = sup.Stop(context.Background())
	})
}

// The root, which no supervisor keeps, shows the same.
func TestTheRootSaysSinceWhen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		sup, err := quiet.New(supervisor.Spec{Name: "root", Children: []child.Specer{child.Spec{
			Name: "w", Ready: child.Readiness{After: time.Second},
			Run: child.Func(func(ctx context.Context) error { <-ctx.Done(); time.Sleep(time.Second); return nil }),
		}}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go func() { _ = sup.Serve(ctx) }()
		for _, want := range []struct {
			state supervisor.State
			since time.Duration
		}{{supervisor.Starting, 0}, {supervisor.Running, time.Second}, {supervisor.Stopping, 4 * time.Second}, {supervisor.Down, 5 * time.Second}} {
			time.Sleep(500 * time.Millisecond)
			synctest.Wait()
			got, err := sup.Ref().Status()
			if snap := sup.Snapshot().Root; got.State != want.state || got.Since.Sub(began) != want.since || snap.Since != got.Since || err != nil {
				t.Errorf("%s since %v, want %s since %v (%v)", got.State, got.Since.Sub(began), want.state, want.since, err)
			}
			switch want.state {
			case supervisor.Running:
				time.Sleep(2500 * time.Millisecond)
				cancel()
			default:
				time.Sleep(500 * time.Millisecond)
			}
		}
		<-sup.Done()
	})
}

func TestAStatusSaysSinceWhen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		after := func(life time.Duration, err error) child.Service {
			return child.Func(func(ctx context.Context) error {
				select {
				case <-time.After(life):
					return err
				case <-ctx.Done():
					time.Sleep(100 * time.Millisecond)
					return nil
				}
			})
		}
		sup := start(t, supervisor.Spec{Name: "root", Children: []child.Specer{
			child.Spec{Name: "job", Restart: child.Transient, Run: after(3*time.Second, nil)},
			child.Spec{Name: "service", Run: after(time.Hour, nil)},
			child.Spec{Name: "short", Run: after(500*time.Millisecond, errLife)},
			child.Spec{Name: "cancelled", Run: after(500*time.Millisecond, errLife)},
		}})
		time.Sleep(5*time.Second - 100*time.Millisecond)
		_ = sup.Ref().TerminateChild(t.Context(), "service") // ends after 5 s
		_ = sup.Ref().TerminateChild(t.Context(), "cancelled")
		time.Sleep(5 * time.Second) // 10 s
		for name, want := range map[string]struct {
			state supervisor.State
			ago   time.Duration
		}{
			"root/job":     {supervisor.Down, 7 * time.Second},
			"root/service": {supervisor.Down, 5 * time.Second},
			// It died after 0.5 s, 2 s, 4.5 s and 9 s.
			"root/short":     {supervisor.Restarting, time.Second},
			"root/cancelled": {supervisor.Down, 5 * time.Second},
		} {
			got, err := sup.Find(name).Status()
			if err != nil || got.State != want.state || time.Since(got.Since) != want.ago {
				t.Errorf("%s: %s since %v, want %s since %v (%v)", name, got.State, time.Since(got.Since), want.state, want.ago, err)
			}
		}
		_ = sup.Stop(context.Background())
	})
}
