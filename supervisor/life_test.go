package supervisor_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/strategies"
	"github.com/coppice-go/coppice/supervisor"
)

var (
	quiet   = supervisor.Options{Logger: slog.New(slog.DiscardHandler)}
	errLife = errors.New("life")
)

func idle(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

func start(t *testing.T, spec supervisor.Spec) *supervisor.Supervisor {
	t.Helper()
	sup, err := quiet.Start(context.Background(), spec)
	if err != nil {
		t.Fatal(err)
	}
	return sup
}

func one(name string, run func(context.Context) error, children ...child.Specer) supervisor.Spec {
	return supervisor.Spec{Name: "root", Children: append([]child.Specer{child.Spec{Name: name, Run: child.Func(run)}}, children...)}
}

func TestAChildThatFailsAtOnceIsTriedEverMoreSlowly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var at []time.Duration
		sup := start(t, one("flapper", func(context.Context) error {
			at = append(at, time.Since(began))
			return errLife
		}))
		time.Sleep(20 * time.Second)
		synctest.Wait()
		want := []time.Duration{0, 1 * time.Second, 3 * time.Second, 7 * time.Second, 15 * time.Second}
		if len(at) != len(want) {
			t.Fatalf("got starts at %v, want %v", at, want)
		}
		for i := range want {
			if at[i] != want[i] {
				t.Errorf("start %d: got %v, want %v", i, at[i], want[i])
			}
		}
		if err := sup.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

func TestAChildThatDiesJustAfterTheThresholdMakesItsSupervisorGiveUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs := 0
		err := quiet.Run(context.Background(), one("worker", func(ctx context.Context) error {
			runs++
			time.Sleep(1100 * time.Millisecond)
			return errLife
		}))
		var exit *supervisor.ExitError
		if !errors.As(err, &exit) || exit.Cause != supervisor.GaveUp || !errors.Is(err, errLife) || runs != 4 {
			t.Errorf("got %v after %d runs", err, runs)
		}
		if want := "supervisor: root gave up after 3 restarts: root/worker: error: life"; err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	})
}

func TestAStopsBudgetKillsWhatIsLeftAndNamesIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		sup := start(t, supervisor.Spec{Name: "root", Children: []child.Specer{
			one("deaf", func(context.Context) error { <-release; return nil }),
			child.Spec{Name: "good", Run: child.Func(idle)},
		}})
		_ = sup
		close(release)
		_ = sup.Stop(context.Background())
	})
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		inner := supervisor.Spec{Name: "inner", Children: []child.Specer{
			child.Spec{Name: "deaf", Run: child.Func(func(context.Context) error { <-release; return nil }), Shutdown: child.Infinity},
		}}
		sup := start(t, one("good", idle, inner))
		began := time.Now()
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
		defer cancel()
		err := sup.Stop(ctx)
		var stop *supervisor.StopError
		if !errors.As(err, &stop) || len(stop.Blocked) != 1 || stop.Blocked[0].Path != "root/inner/deaf" {
			t.Fatalf("got %v", err)
		}
		if took := time.Since(began); took < 3*time.Second || took > 4*time.Second {
			t.Errorf("the stop took %v", took)
		}
		if !strings.Contains(stop.Blocked[0].Stack, "life_test.go") {
			t.Errorf("the stack is %q", stop.Blocked[0].Stack)
		}
		if err := sup.Wait(); !errors.As(err, &stop) {
			t.Errorf("Wait: got %v", err)
		}
		if err := sup.Serve(context.Background()); err == nil || !errors.Is(err, supervisor.ErrStuck) {
			t.Errorf("a second Serve beside the old run: got %v", err)
		}
		close(release)
	})
}

func TestAChangingCallFromAChildThatIsNotReadyIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got error
		spec := one("asker", func(ctx context.Context) error {
			_, got = supervisor.Parent(ctx).StartChild(ctx, child.Spec{Name: "new", Run: child.Func(idle)})
			child.Ready(ctx)
			return idle(ctx)
		})
		asker := spec.Children[0].(child.Spec)
		asker.Ready.Call = true
		spec.Children[0] = asker
		sup := start(t, spec)
		if !errors.Is(got, supervisor.ErrStarting) {
			t.Errorf("got %v", got)
		}
		_ = sup.Stop(context.Background())
	})
}

func TestAContextTellsWhyTheRunWasStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type key struct{}
		ctx, cancel := context.WithTimeout(context.WithValue(context.Background(), key{}, "value"), time.Hour)
		var cause, derived error
		sup, err := quiet.Start(ctx, one("worker", func(ctx context.Context) error {
			if _, ok := ctx.Deadline(); ok || ctx.Value(key{}) != "value" {
				t.Error("a run has the values of the context, not its deadline")
			}
			sub, cancel := context.WithTimeout(ctx, time.Minute)
			defer cancel()
			<-sub.Done()
			cause, derived = context.Cause(ctx), context.Cause(sub)
			return ctx.Err()
		}))
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		cancel()
		if err := sup.Wait(); err != nil {
			t.Error(err)
		}
		if cause == nil || cause.Error() != "coppice: the supervisor stops" || derived == nil || derived.Error() != cause.Error() {
			t.Errorf("got causes %v and %v", cause, derived)
		}
	})
}

func TestIncarnationsGoOnThroughDeletionAndRebuilding(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []uint64
		record := func(ctx context.Context) error {
			got = append(got, child.Incarnation(ctx))
			return idle(ctx)
		}
		inner := supervisor.Spec{Name: "inner", Children: []child.Specer{child.Spec{Name: "w", Run: child.Func(record)}}}
		sup := start(t, supervisor.Spec{Name: "root", Children: []child.Specer{inner}})
		ctx := context.Background()
		synctest.Wait()
		if err := sup.Find("root/inner").Bounce(ctx); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		ref := sup.Find("root/inner")
		for _, err := range []error{ref.TerminateChild(ctx, "w"), ref.DeleteChild(ctx, "w")} {
			if err != nil {
				t.Error(err)
			}
		}
		if _, err := ref.StartChild(ctx, child.Spec{Name: "w", Run: child.Func(record)}); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if len(got) != 3 || got[0] != 1 || got[1] != 2 || got[2] != 3 {
			t.Errorf("got incarnations %v", got)
		}
		_ = sup.Stop(ctx)
	})
}

func TestChildrenAreAddedFromManyGoroutinesAndHaveTheirJitter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sup := start(t, supervisor.Spec{Name: "root"})
		var callers sync.WaitGroup
		for i := range 20 {
			callers.Go(func() {
				spec := child.Spec{Name: fmt.Sprintf("c%d", i), Backoff: strategies.Backoff{Jitter: 1}}
				spec.Run = child.Func(func(context.Context) error { return errLife })
				if _, err := sup.Ref().StartChild(t.Context(), spec); err != nil {
					t.Error(err)
				}
			})
		}
		callers.Wait()
		synctest.Wait()
		all, err := sup.Ref().Children()
		waits := map[time.Duration]bool{}
		for _, s := range all {
			waits[s.Wait] = true
		}
		if len(all) != 20 || len(waits) < 10 || err != nil {
			t.Errorf("%d children wait %d different times, %v", len(all), len(waits), err)
		}
		_ = sup.Stop(context.Background())
	})
}

// A run that was abandoned does not take the place of its successor.
func TestGetFindsTheSuccessorOfARunThatWasAbandoned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		sup := start(t, supervisor.Spec{Name: "root", Children: []child.Specer{child.Spec{
			Name: "w", Stuck: child.Abandon, Shutdown: child.BrutalKill,
			Run: child.Func(func(ctx context.Context) error {
				child.Publish(ctx, child.Incarnation(ctx))
				if child.Incarnation(ctx) > 1 {
					return idle(ctx)
				}
				<-release
				child.Publish(ctx, child.Incarnation(ctx))
				<-release
				return nil
			}),
		}}})
		if err := sup.Find("root/w").Bounce(t.Context()); err != nil {
			t.Error(err)
		}
		release <- struct{}{}
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if got, err := supervisor.Get[uint64](ctx, sup.Find("root/w")); got != 2 || err != nil {
			t.Errorf("got what run %d has published, %v", got, err)
		}
		close(release)
		_ = sup.Stop(context.Background())
	})
}

func TestIncarnationsGoOnForANameThatIsGivenAgainWhileItsChildStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []uint64
		slowly := child.Spec{Name: "w", Run: child.Func(func(ctx context.Context) error {
			got = append(got, child.Incarnation(ctx))
			<-ctx.Done()
			time.Sleep(time.Second)
			return nil
		})}
		sup := start(t, supervisor.Spec{Name: "root", Children: []child.Specer{slowly}})
		hurry, cancel := context.WithCancel(t.Context())
		cancel() // whoever calls waits for nothing
		for range 3 {
			synctest.Wait()
			for _, err := range []error{sup.Ref().TerminateChild(hurry, "w"), sup.Ref().DeleteChild(hurry, "w")} {
				if !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
			}
			if _, err := sup.Ref().StartChild(t.Context(), slowly); err != nil {
				t.Error(err)
			}
		}
		_ = sup.Stop(t.Context())
		if !slices.Equal(got, []uint64{1, 2, 3, 4}) {
			t.Errorf("got incarnations %v", got)
		}
	})
}

func TestGetWaitsForTheIncarnationThatLives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fail := make(chan struct{})
		sup := start(t, supervisor.Spec{Name: "root", Backoff: strategies.Backoff{Min: time.Second}, Children: []child.Specer{
			child.Spec{Name: "server", Run: child.Func(func(ctx context.Context) error {
				child.Publish(ctx, child.Incarnation(ctx))
				select {
				case <-fail:
					return errLife
				case <-ctx.Done():
					return nil
				}
			})},
		}})
		ctx := context.Background()
		ref := sup.Find("root/server")
		if n, err := supervisor.Get[uint64](ctx, ref); n != 1 || err != nil {
			t.Errorf("got %d, %v", n, err)
		}
		fail <- struct{}{}
		synctest.Wait()
		if n, err := supervisor.Get[uint64](ctx, ref); n != 2 || err != nil {
			t.Errorf("got %d, %v", n, err)
		}
		if err := sup.Ref().TerminateChild(ctx, "server"); err != nil {
			t.Error(err)
		}
		if _, err := supervisor.Get[uint64](ctx, ref); !errors.Is(err, supervisor.ErrNotOffered) {
			t.Errorf("got %v", err)
		}
		if _, err := supervisor.Get[uint64](ctx, sup.Find("root/none")); !errors.Is(err, supervisor.ErrNotFound) {
			t.Errorf("got %v", err)
		}
		_ = sup.Stop(ctx)
	})
}

func TestStuckChildren(t *testing.T) {
	deaf := func(release chan struct{}, runs *atomic.Int32) child.Func {
		return func(context.Context) error { runs.Add(1); <-release; return nil }
	}
	t.Run("wait starts no successor while the run lives", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			release, runs := make(chan struct{}), new(atomic.Int32)
			sup := start(t, supervisor.Spec{Name: "root", Children: []child.Specer{child.Spec{Name: "deaf", Run: deaf(release, runs), Shutdown: time.Second}}})
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			if err := sup.Find("root/deaf").Bounce(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v", err)
			}
			if s, _ := sup.Find("root/deaf").Status(); s.State != supervisor.Stuck || runs.Load() != 1 {
				t.Errorf("got %v after %d runs", s.State, runs.Load())
			}
			close(release)
			synctest.Wait()
			if runs.Load() != 2 {
				t.Errorf("got %d runs", runs.Load())
			}
			_ = sup.Stop(context.Background())
		})
	})
	t.Run("abandon starts one beside it", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			release, runs := make(chan struct{}), new(atomic.Int32)
			sup := start(t, supervisor.Spec{Name: "root", Children: []child.Specer{child.Spec{Name: "deaf", Run: deaf(release, runs), Shutdown: time.Second, Stuck: child.Abandon}}})
			if err := sup.Find("root/deaf").Bounce(context.Background()); err != nil {
				t.Error(err)
			}
			synctest.Wait()
			if runs.Load() != 2 {
				t.Errorf("got %d runs", runs.Load())
			}
			close(release)
			_ = sup.Stop(context.Background())
		})
	})
	t.Run("escalate gives up with the stack", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			release, runs := make(chan struct{}), new(atomic.Int32)
			sup := start(t, supervisor.Spec{Name: "root", Children: []child.Specer{child.Spec{Name: "deaf", Run: deaf(release, runs), Shutdown: time.Second, Stuck: child.Escalate}}})
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			if err := sup.Ref().TerminateChild(ctx, "deaf"); err != nil {
				t.Log(err)
			}
			err := sup.Wait()
			var exit *supervisor.ExitError
			if !errors.As(err, &exit) || exit.Cause != supervisor.GaveUp || !strings.Contains(exit.Stack, "life_test.go") {
				t.Errorf("got %v", err)
			}
			close(release)
		})
	})
}
