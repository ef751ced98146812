package supervisor_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/strategies"
	"github.com/coppice-go/coppice/supervisor"
)

// lone is a child that fails the test if two incarnations of it overlap. It
// fails at random moments and takes its time to stop.
func lone(t *testing.T, name string, runs *atomic.Int32) child.Spec {
	var lives atomic.Int32
	return child.Spec{Name: name, Run: child.Func(func(ctx context.Context) error {
		if n := lives.Add(1); n > 1 {
			t.Errorf("%d incarnations of %s live", n, name)
		}
		defer lives.Add(-1)
		life := time.Duration(runs.Add(1)*37%23) * 100 * time.Millisecond
		select {
		case <-time.After(life):
			return errLife
		case <-ctx.Done():
			time.Sleep(life)
			return nil
		}
	})}
}

func TestTwoIncarnationsOfAChildNeverOverlapUnlessItsStuckIsAbandon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var runs atomic.Int32
		sub := supervisor.Spec{Name: "sub", Strategy: strategies.RestForOne, Backoff: noDelay, Children: []child.Specer{lone(t, "a", &runs), lone(t, "b", &runs)}}
		sub.Intensity.Restarts = 20
		spec := treeOf("root", sub, lone(t, "c", &runs))
		spec.Intensity.Restarts, spec.Backoff = strategies.Unlimited, noDelay
		sup, err := quiet.New(spec)
		if err != nil {
			t.Fatal(err)
		}
		for range 3 { // lives of the root
			served := make(chan error)
			go func() { served <- sup.Serve(context.Background()) }()
			synctest.Wait()
			for i := range 200 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i%7)*time.Second/2)
				path := []string{"root/sub", "root/sub/a", "root/sub/b", "root/c"}[i%4]
				switch i % 3 {
				case 0:
					_ = sup.Find(path).Bounce(ctx)
				case 1:
					_ = sup.Find("root/sub").RestartAll(ctx)
				case 2:
					_ = sup.Find("root/sub").TerminateChild(ctx, "a")
					_ = sup.Find("root/sub").RestartChild(ctx, "a")
				}
				cancel()
			}
			stop(t, sup)
			<-served
		}
		if runs.Load() < 300 {
			t.Errorf("only %d runs", runs.Load())
		}
	})
	synctest.Test(t, func(t *testing.T) { // one that outlives its supervisor, and a second Serve
		var lives atomic.Int32
		release := make(chan struct{})
		sup := start(t, one("deaf", func(context.Context) error {
			if lives.Add(1) > 1 {
				t.Error("a second one has begun")
			}
			<-release
			return nil
		}))
		if err := sup.Stop(t.Context()); !errors.Is(err, supervisor.ErrStuck) {
			t.Errorf("got %v", err)
		}
		if err := sup.Serve(t.Context()); !errors.Is(err, supervisor.ErrStuck) {
			t.Errorf("a second Serve: got %v", err)
		}
		close(release)
	})
}

func TestIncarnationsAreNumberedForEachPathAndNeverUsedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := map[string][]uint64{}
		leave := make(chan error)
		w := child.Spec{Name: "w", Run: child.Func(func(ctx context.Context) error {
			seen[child.Path(ctx)] = append(seen[child.Path(ctx)], child.Incarnation(ctx))
			select {
			case err := <-leave:
				return err
			case <-ctx.Done():
				return nil
			}
		})}
		sub := supervisor.Spec{Name: "sub", Backoff: noDelay, Children: []child.Specer{w}}
		sup := start(t, treeOf("root", sub))
		ctx, at := t.Context(), sup.Find("root/sub")
		for i, act := range []func() error{
			func() error { leave <- errLife; return nil },
			func() error { return at.Child("w").Bounce(ctx) },
			func() error { return at.Bounce(ctx) },
			func() error { return at.TerminateChild(ctx, "w") },
			func() error { return at.DeleteChild(ctx, "w") },
			func() error { _, err := at.StartChild(ctx, w); return err },
			func() error { return sup.Ref().TerminateChild(ctx, "sub") },
			func() error { return sup.Ref().DeleteChild(ctx, "sub") },
			func() error { _, err := sup.Ref().StartChild(ctx, sub); return err },
			func() error { return sup.Stop(ctx) },
			func() error { go func() { _ = sup.Serve(ctx) }(); return nil },
		} {
			if err := act(); err != nil {
				t.Errorf("step %d: %v", i, err)
			}
			synctest.Wait()
		}
		if got := seen["root/sub/w"]; !slices.Equal(got, []uint64{1, 2, 3, 4, 5, 6, 7}) {
			t.Errorf("got %v", got)
		}
		stop(t, sup)
	})
}

func TestAnExitIsNeverLostNorCountedTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ends atomic.Int32
		spec := treeOf("root")
		for _, name := range []string{"a", "b", "c", "d"} {
			spec.Children = append(spec.Children, child.Spec{Name: name, Run: child.Func(func(ctx context.Context) error {
				defer ends.Add(1)
				select {
				case <-time.After(time.Duration(child.Incarnation(ctx)%5+1) * time.Second):
					return errLife
				case <-ctx.Done():
					return errLife
				}
			})})
		}
		spec.Strategy, spec.Backoff, spec.Intensity.Restarts = strategies.RestForOne, noDelay, strategies.Unlimited
		sup := start(t, spec)
		told, counted := make(chan int), map[string]uint64{}
		go func() {
			n, last := 0, map[string]uint64{}
			for e := range sup.Events(context.Background(), 0) {
				if e.Kind != supervisor.ChildExited {
					continue
				}
				if n++; e.Incarnation != last[e.Path]+1 {
					t.Errorf("the exit of %s #%d comes after that of #%d", e.Path, e.Incarnation, last[e.Path])
				}
				last[e.Path] = e.Incarnation
				if e.Exit.Reason == child.NotTold && e.Next == supervisor.Restarts {
					counted[e.Path]++
				}
			}
			told <- n
		}()
		for range 100 {
			time.Sleep(time.Second / 3)
			_ = sup.Find("root/c").Bounce(t.Context())
		}
		stop(t, sup)
		if n := <-told; n != int(ends.Load()) || n < 100 {
			t.Errorf("%d exits were told, %d runs have ended", n, ends.Load())
		}
		for _, s := range sup.Snapshot().Root.Children {
			if s.Restarts != counted[s.Path] {
				t.Errorf("%s is said %d times to restart and was restarted %d times", s.Path, counted[s.Path], s.Restarts)
			}
		}
	})
}

func TestAPanicIsAnExitWithItsStack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for kind, end := range map[child.Kind]func(){child.Panicked: func() { panic("boom") }, child.Goexited: runtime.Goexit} {
			sup := start(t, one("w", func(ctx context.Context) error {
				if child.Incarnation(ctx) == 1 {
					end()
				}
				return idle(ctx)
			}))
			time.Sleep(time.Minute)
			s := status(t, sup, "root/w")
			exit := s.Last().Exit
			if exit.Kind != kind || !exit.Abnormal() || s.State != supervisor.Running || s.Restarts != 1 {
				t.Errorf("got %+v", s)
			}
			var panicked *child.PanicError
			if kind == child.Panicked && (!errors.As(exit, &panicked) || !strings.Contains(panicked.Stack(), "TestAPanicIsAnExitWithItsStack")) {
				t.Errorf("got %v", exit)
			}
			stop(t, sup)
		}
	})
}

func TestASecondServeStartsAfresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sup := start(t, treeOf("root", worker("a")))
		if _, err := sup.Ref().StartChild(t.Context(), worker("added")); err != nil {
			t.Error(err)
		}
		done := sup.Done()
		stop(t, sup)
		before := sup.Snapshot().Seq
		go func() { _ = sup.Serve(context.Background()) }()
		synctest.Wait()
		if sup.Done() == done || isDone(sup) {
			t.Error("the second life has no end of its own")
		}
		all, err := sup.Ref().Children()
		if err != nil || len(all) != 1 || all[0].Name != "a" || all[0].Incarnation != 2 || all[0].State != supervisor.Running {
			t.Errorf("got %+v, %v", all, err)
		}
		for e := range sup.Events(t.Context(), before) {
			if e.Seq != before+1 {
				t.Errorf("event %d follows event %d", e.Seq, before)
			}
			break
		}
		stop(t, sup)
	})
}
