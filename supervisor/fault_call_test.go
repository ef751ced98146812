package supervisor_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/supervisor"
)

func TestFaultServeWhileServing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sup := start(t, treeOf("root", worker("a")))
		for range 2 {
			if err := sup.Serve(t.Context()); !errors.Is(err, supervisor.ErrServing) {
				t.Errorf("got %v", err)
			}
		}
		if s, err := sup.Find("root/a").Status(); s.State != supervisor.Running || s.Incarnation != 1 || err != nil {
			t.Errorf("the tree was touched: %+v, %v", s, err)
		}
		if err := sup.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		served := make(chan error)
		go func() { served <- sup.Serve(ctx) }()
		synctest.Wait()
		if s, err := sup.Find("root/a").Status(); s.State != supervisor.Running || s.Incarnation != 2 || err != nil {
			t.Errorf("the second life: %+v, %v", s, err)
		}
		cancel()
		if err := <-served; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}

// callsOn are all calls upon the place at and the child of that name below it.
func callsOn(ctx context.Context, at supervisor.Ref, name string) map[string]func() error {
	of := at.Child(name)
	return map[string]func() error{
		"StartChild":     func() error { _, err := at.StartChild(ctx, worker("new")); return err },
		"TerminateChild": func() error { return at.TerminateChild(ctx, name) },
		"RestartChild":   func() error { return at.RestartChild(ctx, name) },
		"DeleteChild":    func() error { return at.DeleteChild(ctx, name) },
		"RestartAll":     func() error { return at.RestartAll(ctx) },
		"Bounce":         func() error { return of.Bounce(ctx) },
		"Spec":           func() error { _, err := of.Spec(); return err },
		"Status":         func() error { _, err := of.Status(); return err },
		"Children":       func() error { _, err := at.Children(); return err },
		"Count":          func() error { _, err := at.Count(); return err },
		"Get":            func() error { _, err := supervisor.Get[int](ctx, of); return err },
	}
}

// changing are the calls that change a tree.
var changing = []string{"StartChild", "TerminateChild", "RestartChild", "DeleteChild", "RestartAll", "Bounce"}

// answers makes the calls named, or all, and fails unless each is answered at
// once with that error, in one line that names the call.
func answers(t *testing.T, what string, all map[string]func() error, want error, only ...string) {
	t.Helper()
	if len(only) == 0 {
		for name := range all {
			only = append(only, name)
		}
	}
	for _, name := range only {
		began := time.Now()
		err := all[name]()
		if !errors.Is(err, want) {
			t.Errorf("%s: %s: got %v, want %v", what, name, err, want)
		}
		var call *supervisor.CallError
		if err != nil && (!errors.As(err, &call) || strings.Contains(err.Error(), "\n")) {
			t.Errorf("%s: %s: got %q", what, name, err)
		}
		if took := time.Since(began); took > 0 {
			t.Errorf("%s: %s took %v", what, name, took)
		}
	}
}

func TestFaultCallsOnAStoppedSupervisor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		sup, err := quiet.New(treeOf("root", worker("a"), treeOf("sub", worker("b"))))
		if err != nil {
			t.Fatal(err)
		}
		answers(t, "before it serves", callsOn(ctx, sup.Ref(), "a"), supervisor.ErrStopped,
			append(changing, "Spec", "Status", "Children", "Count")...)
		if err := sup.Stop(ctx); err != nil {
			t.Errorf("a stop before it serves: %v", err)
		}
		go func() { _ = sup.Serve(ctx) }()
		synctest.Wait()
		if err := sup.Ref().TerminateChild(ctx, "sub"); err != nil {
			t.Error(err)
		}
		answers(t, "one that is down", callsOn(ctx, sup.Find("root/sub"), "b"), supervisor.ErrStopped, append(changing, "Spec", "Status", "Children", "Count")...)
		answers(t, "one that is down", callsOn(ctx, sup.Find("root/sub"), "b"), supervisor.ErrNotOffered, "Get")
		if err := sup.Stop(ctx); err != nil {
			t.Error(err)
		}
		answers(t, "one that has stopped", callsOn(ctx, sup.Ref(), "a"), supervisor.ErrStopped, append(changing, "Get")...)
		answers(t, "one that has stopped", callsOn(ctx, sup.Ref(), "a"), nil, "Spec", "Status", "Children", "Count")
		if s := sup.Snapshot().Root; s.State != supervisor.Down || s.Children[0].State != supervisor.Down {
			t.Errorf("got %+v", s)
		}
		for range 2 {
			if err := errors.Join(sup.Stop(ctx), sup.Wait()); err != nil {
				t.Error(err)
			}
		}
	})
	synctest.Test(t, func(t *testing.T) {
		spec := one("w", func(context.Context) error { time.Sleep(time.Second); return errLife })
		spec.Intensity, spec.Backoff = never, noDelay
		sup := start(t, spec)
		if err := sup.Wait(); !errors.Is(err, errLife) {
			t.Errorf("got %v", err)
		}
		answers(t, "one that gave up", callsOn(t.Context(), sup.Ref(), "w"), supervisor.ErrStopped, append(changing, "Get")...)
		if err := sup.Stop(t.Context()); err != nil {
			t.Errorf("a stop after it gave up: %v", err)
		}
	})
	synctest.Test(t, func(t *testing.T) { // one that is stopping, slowly
		sup := start(t, treeOf("root", worker("a"), lingerer("slow", time.Second)))
		go func() { _ = sup.Stop(context.Background()) }()
		synctest.Wait()
		answers(t, "one that is stopping", callsOn(t.Context(), sup.Ref(), "a"), supervisor.ErrStopped, changing...)
		<-sup.Done()
	})
}

// lingerer is a child that takes that long to stop.
func lingerer(name string, takes time.Duration) child.Spec {
	return child.Spec{Name: name, Run: child.Func(func(ctx context.Context) error {
		<-ctx.Done()
		time.Sleep(takes)
		return nil
	})}
}

func TestFaultCallsOnPlacesThatAreGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		sup := start(t, treeOf("root", worker("a"), treeOf("sub", worker("b")), child.Spec{Name: "once", Run: child.Func(idle), Restart: child.Temporary}))
		gone := sup.Find("root/sub")
		if err := errors.Join(sup.Ref().TerminateChild(ctx, "sub"), sup.Ref().DeleteChild(ctx, "sub"), sup.Ref().TerminateChild(ctx, "once")); err != nil {
			t.Error(err)
		}
		answers(t, "a deleted supervisor", callsOn(ctx, gone, "b"), supervisor.ErrNotFound)
		named := []string{"TerminateChild", "RestartChild", "DeleteChild", "Bounce", "Spec", "Status", "Get"}
		answers(t, "a temporary child that was", callsOn(ctx, sup.Ref(), "once"), supervisor.ErrNotFound, named...)
		for _, name := range []string{"", "/", "a/", "..", strings.Repeat("x", 1<<16), "a\nb"} {
			all := callsOn(ctx, sup.Ref(), name)
			for _, call := range named {
				if err := all[call](); err == nil || !errors.Is(err, supervisor.ErrNotFound) && !errors.Is(err, supervisor.ErrNotSupervisor) && !errors.Is(err, supervisor.ErrRootBounce) {
					t.Errorf("%s of %.10q: got %.200v", call, name, err)
				}
			}
		}
		for _, path := range []string{"", "/", "other", "/root", "root//a", "root/none/deep"} {
			answers(t, path, callsOn(ctx, sup.Find(path), "a"), supervisor.ErrNotFound)
		}
		answers(t, "a worker", callsOn(ctx, sup.Find("root/a"), "b"), supervisor.ErrNotSupervisor)
		answers(t, "no tree", callsOn(ctx, supervisor.Ref{}, "a"), supervisor.ErrNoTree)
		answers(t, "a context without a run", callsOn(ctx, supervisor.Self(ctx), "a"), supervisor.ErrNoTree)
		answers(t, "a context without a run", callsOn(ctx, supervisor.Parent(ctx), "a"), supervisor.ErrNoTree)
		if _, err := gone.Find("root").StartChild(ctx, treeOf("sub", worker("b"))); err != nil {
			t.Error(err)
		}
		answers(t, "a place that is back", callsOn(ctx, gone, "b"), nil, "Status", "Bounce", "RestartAll", "Count")
		_ = sup.Stop(ctx)
	})
}

// inside runs f inside a child "asker" between the siblings "before" and
// "after", before or after its readiness, and returns the tree at rest.
func inside(t *testing.T, ready bool, f func(ctx context.Context)) *supervisor.Supervisor {
	var asked atomic.Bool
	asker := child.Spec{Name: "asker", Ready: child.Readiness{Call: true}, Run: child.Func(func(ctx context.Context) error {
		first := !asked.Swap(true)
		if first && !ready {
			f(ctx)
		}
		child.Ready(ctx)
		if first && ready {
			time.Sleep(time.Second) // until all have started
			f(ctx)
		}
		return idle(ctx)
	})}
	sup := start(t, treeOf("root", worker("before"), asker, worker("after")))
	time.Sleep(time.Minute)
	if !asked.Load() {
		t.Error("it was not asked")
	}
	return sup
}

func TestFaultCallsFromInsideAChild(t *testing.T) {
	reads := []string{"Spec", "Status", "Children", "Count"}
	for name, tt := range map[string]struct {
		ready bool
		on    string // the child of the asker's parent that the calls are about
		calls []string
		want  error
	}{
		"before its readiness on itself":           {false, "asker", changing, supervisor.ErrStarting},
		"before its readiness on one before it":    {false, "before", changing, supervisor.ErrStarting},
		"before its readiness on one after it":     {false, "after", changing, supervisor.ErrStarting},
		"before its readiness, reading of itself":  {false, "asker", reads, nil},
		"before its readiness, reading of another": {false, "after", reads, nil},
		"after its readiness, reading of itself":   {true, "asker", reads, nil},
		"after its readiness, what cannot be":      {true, "asker", []string{"RestartChild", "DeleteChild"}, supervisor.ErrRunning},
		"after its readiness on a sibling":         {true, "after", []string{"StartChild", "Bounce", "TerminateChild", "RestartChild"}, nil},
		"after its readiness on one before it":     {true, "before", []string{"TerminateChild", "Bounce", "TerminateChild", "DeleteChild"}, nil},
	} {
		for _, call := range tt.calls {
			if tt.ready {
				break
			}
			t.Run(name+" "+call, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					sup := inside(t, false, func(ctx context.Context) {
						answers(t, name, callsOn(ctx, supervisor.Parent(ctx), tt.on), tt.want, call)
					})
					if n, err := sup.Ref().Count(); n.Specs != 3 || n.Active != 3 || err != nil {
						t.Errorf("got %+v, %v", n, err)
					}
					_ = sup.Stop(t.Context())
				})
			})
		}
		if tt.ready {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					sup := inside(t, true, func(ctx context.Context) {
						answers(t, name, callsOn(ctx, supervisor.Parent(ctx), tt.on), tt.want, tt.calls...)
					})
					if s, err := sup.Find("root/asker").Status(); s.State != supervisor.Running || s.Incarnation != 1 || err != nil {
						t.Errorf("got %+v, %v", s, err)
					}
					_ = sup.Stop(t.Context())
				})
			})
		}
	}
}

func TestFaultCallsOfAChildThatEndIt(t *testing.T) {
	for name, tt := range map[string]struct {
		incarnation uint64
		state       supervisor.State
		reason      child.Reason
	}{
		"TerminateChild": {1, supervisor.Down, child.ByCall},
		"Bounce":         {2, supervisor.Running, child.ByBounce},
		"RestartAll":     {2, supervisor.Running, child.ByGroup},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sup := inside(t, true, func(ctx context.Context) {
					err := callsOn(ctx, supervisor.Parent(ctx), "asker")[name]()
					if ctx.Err() == nil || !errors.Is(err, context.Cause(ctx)) {
						t.Errorf("got %v while its context has %v", err, context.Cause(ctx))
					}
					if name != "RestartAll" && child.StopReason(ctx) != tt.reason {
						t.Errorf("it was told to stop for %v", child.StopReason(ctx))
					}
				})
				if s, err := sup.Find("root/asker").Status(); s.State != tt.state || s.Incarnation != tt.incarnation || s.Restarts != 0 || err != nil {
					t.Errorf("got %+v, %v", s, err)
				}
				_ = sup.Stop(t.Context())
			})
		})
	}
	t.Run("Stop", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			made := make(chan *supervisor.Supervisor, 1)
			sup := start(t, one("w", func(ctx context.Context) error {
				sup := <-made
				if err := sup.Stop(ctx); err != context.Cause(ctx) || ctx.Err() == nil {
					t.Errorf("got %v", err)
				}
				return nil
			}))
			made <- sup
			if err := sup.Wait(); err != nil {
				t.Error(err)
			}
		})
	})
}

func TestFaultCallsOfADeepChildBeforeItsReadiness(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asker := child.Spec{Name: "asker", Ready: child.Readiness{Call: true}, Run: child.Func(func(ctx context.Context) error {
			root := supervisor.Self(ctx).Find("root")
			answers(t, "on the grandparent", callsOn(ctx, root, "sub"), supervisor.ErrStarting, changing...)
			answers(t, "on an uncle", callsOn(ctx, root, "uncle"), supervisor.ErrStarting, "TerminateChild", "Bounce")
			answers(t, "on an uncle's child", callsOn(ctx, root.Child("uncle"), "w"), nil, "StartChild", "Bounce", "TerminateChild")
			child.Ready(ctx)
			return idle(ctx)
		})}
		sup := start(t, treeOf("root", treeOf("uncle", worker("w")), treeOf("sub", asker)))
		_ = sup.Stop(t.Context())
	})
}

// observed is a tree of two children that note what happens to them; the
// second is ready after a second.
func observed(note func(string)) supervisor.Spec {
	noting := func(name string, start time.Duration) child.Spec {
		return child.Spec{Name: name, Ready: child.Readiness{Call: true}, Run: child.Func(func(ctx context.Context) error {
			note("+" + name)
			defer note("-" + name)
			if _, ok := ctx.Deadline(); ok {
				note("a deadline")
			}
			select {
			case <-time.After(start):
				child.Ready(ctx)
				return idle(ctx)
			case <-ctx.Done():
				return ctx.Err()
			}
		})}
	}
	return treeOf("root", noting("a", 0), noting("b", time.Second))
}

func TestFaultAContextThatEnds(t *testing.T) {
	cancelled := func(after time.Duration) func(context.Context) (context.Context, context.CancelFunc) {
		return func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancelCause(ctx)
			if after == 0 {
				cancel(errLife)
			}
			time.AfterFunc(after, func() { cancel(errLife) })
			return ctx, func() { cancel(nil) }
		}
	}
	deadline := func(after time.Duration) func(context.Context) (context.Context, context.CancelFunc) {
		return func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, after)
		}
	}
	for name, tt := range map[string]struct {
		make func(context.Context) (context.Context, context.CancelFunc)
		want error // of Start
		told string
	}{
		"cancelled before the start":   {cancelled(0), errLife, ""},
		"cancelled during the start":   {cancelled(time.Second / 2), errLife, "+a +b -b -a"},
		"cancelled after the start":    {cancelled(time.Minute), nil, "+a +b -b -a"},
		"with a deadline that is over": {deadline(-time.Second), context.DeadlineExceeded, ""},
		"with a deadline during it":    {deadline(time.Second / 2), context.DeadlineExceeded, "+a +b -b -a"},
		"with a deadline after it":     {deadline(time.Minute), nil, "+a +b -b -a"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				told := new(journal)
				spec := observed(told.note)
				ctx, cancel := tt.make(t.Context())
				defer cancel()
				sup, err := quiet.Start(ctx, spec)
				if !errors.Is(err, tt.want) || (sup == nil) != (err != nil) {
					t.Errorf("Start: got %v, want %v", err, tt.want)
				}
				if sup != nil {
					if err := sup.Wait(); err != nil {
						t.Errorf("Wait: got %v", err)
					}
				}
				told.want(t, tt.told)
			})
			synctest.Test(t, func(t *testing.T) {
				told := new(journal)
				ctx, cancel := tt.make(t.Context())
				defer cancel()
				if err := quiet.Run(ctx, observed(told.note)); err != nil {
					t.Errorf("Run: got %v", err)
				}
				told.want(t, tt.told)
			})
		})
	}
}

func TestFaultAContextOfACallThatEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sup := start(t, treeOf("root", lingerer("slow", 2*time.Second), worker("a")))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		for i, f := range []func(context.Context) error{
			func(ctx context.Context) error { return sup.Ref().TerminateChild(ctx, "slow") },
			func(ctx context.Context) error { return sup.Ref().RestartAll(ctx) },
		} {
			if err := f(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("call %d: got %v", i, err)
			}
		}
		time.Sleep(time.Minute) // both were done all the same
		slow, _ := sup.Find("root/slow").Status()
		a, _ := sup.Find("root/a").Status()
		if slow.State != supervisor.Down || a.Incarnation != 2 {
			t.Errorf("got %+v and %+v", slow, a)
		}
		late := child.Spec{Name: "late", Ready: child.Readiness{Call: true}, Run: child.Func(func(ctx context.Context) error {
			time.Sleep(time.Second)
			child.Ready(ctx)
			return idle(ctx)
		})}
		if _, err := sup.Ref().StartChild(ctx, late); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		time.Sleep(time.Minute)
		if s, err := sup.Find("root/late").Status(); s.State != supervisor.Running || err != nil {
			t.Errorf("got %+v, %v", s, err)
		}
		_ = sup.Stop(t.Context())
	})
	synctest.Test(t, func(t *testing.T) { // a stop
		sup := start(t, treeOf("root", lingerer("slow", 2*time.Second)))
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(errLife)
		if err := sup.Stop(ctx); !errors.Is(err, errLife) {
			t.Errorf("got %v", err)
		}
		began := time.Now()
		if err := sup.Wait(); err != nil || time.Since(began) != 2*time.Second {
			t.Errorf("got %v after %v", err, time.Since(began))
		}
	})
	synctest.Test(t, func(t *testing.T) { // a stop for which there is no time
		sup := start(t, treeOf("root", child.Spec{Name: "slow", Shutdown: child.Infinity, Run: child.Func(func(ctx context.Context) error {
			<-child.Killed(ctx)
			return fmt.Errorf("killed: %w", errLife)
		})}))
		ctx, cancel := context.WithTimeout(t.Context(), -time.Second)
		defer cancel()
		began := time.Now()
		if err := sup.Stop(ctx); err != nil || time.Since(began) > 0 {
			t.Errorf("got %v after %v", err, time.Since(began))
		}
	})
}
