package supervisor_test

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"log/slog"
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

func TestTheContextOfACallBoundsTheWaitAndNeverTheAct(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sup := start(t, treeOf("root", lingerer("w", 3*time.Second)))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		if err := sup.Find("root/w").Bounce(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Second {
			t.Errorf("got %v after %v", err, time.Since(began))
		}
		if s := status(t, sup, "root/w"); s.State != supervisor.Stopping {
			t.Errorf("it is %v", s.State)
		}
		time.Sleep(2 * time.Second)
		if s := status(t, sup, "root/w"); s.State != supervisor.Running || s.Incarnation != 2 {
			t.Errorf("got %+v", s)
		}
		stop(t, sup)
	})
}

func TestACallOfAChildThatIsNotReadyUponWhoWaitsForItIsRefused(t *testing.T) {
	for name, under := range map[string]func(child.Specer) supervisor.Spec{
		"its parent":      func(c child.Specer) supervisor.Spec { return treeOf("root", worker("a"), c) },
		"its grandparent": func(c child.Specer) supervisor.Spec { return treeOf("root", worker("a"), treeOf("sub", c)) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				asked := 0
				sup := start(t, under(child.Spec{Name: "asker", Ready: child.Readiness{Call: true}, Run: child.Func(func(ctx context.Context) error {
					asked++
					root := supervisor.Self(ctx).Find("root")
					answers(t, name, callsOn(ctx, root, "a"), supervisor.ErrStarting, changing...)
					answers(t, name, callsOn(ctx, root, "a"), nil, "Status", "Spec", "Children", "Count")
					child.Ready(ctx)
					answers(t, "when it is ready", callsOn(ctx, root, "a"), nil, "Status", "Count")
					return idle(ctx)
				})}))
				synctest.Wait()
				if asked != 1 {
					t.Errorf("it ran %d times", asked)
				}
				stop(t, sup)
			})
		})
	}
}

func TestACallOfAChildAboutItselfReturnsWhenItsContextEnds(t *testing.T) {
	for name, made := range map[string]func(context.Context) context.Context{
		"made with that context":      func(ctx context.Context) context.Context { return ctx },
		"made with one that lives on": context.WithoutCancel,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var got, above error
				sup := start(t, one("w", func(ctx context.Context) error {
					switch child.Incarnation(ctx) {
					case 1:
						time.Sleep(time.Second)
						got = supervisor.Self(ctx).Bounce(made(ctx))
					case 2:
						time.Sleep(time.Second)
						above = supervisor.Parent(ctx).RestartAll(made(ctx))
					default:
						return idle(ctx)
					}
					return nil
				}))
				time.Sleep(2 * time.Second)
				synctest.Wait()
				for _, err := range []error{got, above} {
					if err == nil || !strings.Contains(err.Error(), "bounced by a call") {
						t.Errorf("got %v", err)
					}
				}
				if s := status(t, sup, "root/w"); s.Incarnation != 3 || s.State != supervisor.Running || s.Restarts != 0 {
					t.Errorf("got %+v", s)
				}
				stop(t, sup)
			})
		})
	}
}

func TestARefStaysGoodThroughRestartsAndRebuilding(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := mortals{}
		sub := supervisor.Spec{Name: "sub", Backoff: noDelay, Children: []child.Specer{m.child(new(journal), "w")}}
		sup := start(t, treeOf("root", sub))
		ref := sup.Find("root/sub/w")
		good := func(when string) {
			t.Helper()
			synctest.Wait()
			if s, err := ref.Status(); s.State != supervisor.Running || err != nil {
				t.Errorf("%s: got %v, %v", when, s.State, err)
			}
			if err := ref.Bounce(t.Context()); err != nil {
				t.Errorf("%s: %v", when, err)
			}
		}
		good("at first")
		m["w"] <- errLife
		good("after a restart")
		if err := sup.Find("root/sub").Bounce(t.Context()); err != nil {
			t.Error(err)
		}
		good("after its supervisor's restart")
		if err := errors.Join(sup.Ref().TerminateChild(t.Context(), "sub"), sup.Ref().DeleteChild(t.Context(), "sub")); err != nil {
			t.Error(err)
		}
		if _, err := ref.Status(); !errors.Is(err, supervisor.ErrNotFound) {
			t.Errorf("while it is gone: got %v", err)
		}
		if _, err := sup.Ref().StartChild(t.Context(), sub); err != nil {
			t.Error(err)
		}
		good("after it came back")
		stop(t, sup)
		go func() { _ = sup.Serve(context.Background()) }()
		good("in a second life")
		stop(t, sup)
	})
}

func TestNobodyGetsWhatADeadIncarnationHasPublished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		spec := one("w", func(ctx context.Context) error {
			n := child.Incarnation(ctx)
			time.Sleep(time.Second)
			child.Publish(ctx, n)
			if n < 5 {
				time.Sleep(time.Second)
				return errLife
			}
			defer child.Publish(ctx, n+1000) // it was told to stop
			return idle(ctx)
		})
		spec.Intensity.Restarts = strategies.Unlimited
		sup := start(t, spec)
		for range 100 {
			time.Sleep(time.Second / 10)
			got, err := supervisor.Get[uint64](t.Context(), sup.Find("root/w"))
			if s, e := sup.Find("root/w").Status(); got != s.Incarnation || s.State != supervisor.Running || err != nil || e != nil {
				t.Errorf("got that of #%d while #%d is %v: %v, %v", got, s.Incarnation, s.State, err, e)
			}
		}
		stop(t, sup)
		if got, err := supervisor.Get[uint64](t.Context(), sup.Find("root/w")); err == nil {
			t.Errorf("got %d of one that has stopped", got)
		}
	})
}

func TestNobodyGetsWhatADyingIncarnationHasPublished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sup := start(t, one("w", func(ctx context.Context) error {
			child.Publish(ctx, 1)
			<-ctx.Done()
			time.Sleep(2 * time.Second)
			return nil
		}))
		synctest.Wait()
		if got, err := supervisor.Get[int](t.Context(), sup.Find("root/w")); got != 1 || err != nil {
			t.Errorf("got %d, %v", got, err)
		}
		go func() { _ = sup.Ref().TerminateChild(context.Background(), "w") }()
		synctest.Wait()
		began := time.Now()
		if got, err := supervisor.Get[int](t.Context(), sup.Find("root/w")); !errors.Is(err, supervisor.ErrNotOffered) || time.Since(began) != 2*time.Second {
			t.Errorf("got %d, %v after %v", got, err, time.Since(began))
		}
		stop(t, sup)
	})
}

func TestTheOrderOfStartsIsTheOrderEverywhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := new(journal)
		sup := start(t, treeOf("root", j.child("z", 0), j.child("a", 0), j.child("m", 0)))
		if _, err := sup.Ref().StartChild(t.Context(), j.child("b", 0)); err != nil {
			t.Error(err)
		}
		if err := sup.Find("root/z").Bounce(t.Context()); err != nil { // keeps its place
			t.Error(err)
		}
		names := func(all []supervisor.Status) (names []string) {
			for _, s := range all {
				names = append(names, s.Name)
			}
			return names
		}
		want := []string{"z", "a", "m", "b"}
		all, err := sup.Ref().Children()
		if got := names(all); !slices.Equal(got, want) || err != nil {
			t.Errorf("Children: got %v, %v", got, err)
		}
		if got := names(sup.Snapshot().Root.Children); !slices.Equal(got, want) {
			t.Errorf("Snapshot: got %v", got)
		}
		j.take()
		stop(t, sup)
		j.want(t, "-b -m -a -z")
	})
}

func TestReadingWaitsForNoStartAndNoStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sup, err := quiet.New(treeOf("root", lingerer("a", 4*time.Second), treeOf("sub", new(journal).child("slow", time.Minute/4))))
		if err != nil {
			t.Fatal(err)
		}
		go func() { _ = sup.Serve(context.Background()) }()
		read := func(when string, want supervisor.State) {
			t.Helper()
			synctest.Wait()
			began := time.Now()
			answers(t, when, callsOn(t.Context(), sup.Ref(), "a"), nil, "Spec", "Status", "Children", "Count")
			answers(t, when, callsOn(t.Context(), sup.Ref(), "sub"), nil, "Spec", "Status")
			if s := sup.Snapshot().Root; s.State != want || len(s.Children) != 2 {
				t.Errorf("%s: got %+v", when, s)
			}
			for range sup.Events(t.Context(), 0) {
				break
			}
			if took := time.Since(began); took > 0 {
				t.Errorf("%s: it took %v", when, took)
			}
		}
		read("while it starts", supervisor.Starting)
		time.Sleep(time.Minute)
		read("while it runs", supervisor.Running)
		go func() { _ = sup.Stop(context.Background()) }()
		read("while it stops", supervisor.Stopping)
		<-sup.Done()
		read("when it has stopped", supervisor.Down)
	})
}

// busy is a tree of one child that fails every millisecond.
func busy() supervisor.Spec {
	spec := one("w", func(context.Context) error { time.Sleep(time.Millisecond); return errLife }, worker("other"))
	spec.Intensity.Restarts, spec.Backoff = strategies.Unlimited, noDelay
	return spec
}

func TestEventsComeInOrderAndSayHowManyAreMissing(t *testing.T) {
	for name, pause := range map[string]time.Duration{"a reader in time": 0, "a reader that is late": 5 * time.Second} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sup := start(t, busy())
				time.AfterFunc(7*time.Second, func() { _ = sup.Stop(context.Background()) })
				var last, missed uint64
				for e := range sup.Events(t.Context(), 0) {
					if e.Kind == supervisor.Missed {
						missed += e.Missed
						last += e.Missed
					} else if last++; e.Seq != last {
						t.Fatalf("event %d comes after %d", e.Seq, last-1)
					}
					if e.Seq == 1 {
						time.Sleep(pause)
					}
				}
				if last != sup.Snapshot().Seq || last < 10_000 || (missed > 0) != (pause > 0) {
					t.Errorf("%d events, of which %d were missed; the last is %d", last, missed, sup.Snapshot().Seq)
				}
			})
		})
	}
}

func TestNoReaderOfEventsSlowsTheTree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sup := start(t, busy())
		var ends []func()
		for range 100 {
			next, end := iter.Pull(sup.Events(t.Context(), 0))
			_, _ = next() // and never again
			ends = append(ends, end)
		}
		time.Sleep(3 * time.Second)
		if s := status(t, sup, "root/w"); s.Restarts < 2990 {
			t.Errorf("got %d restarts", s.Restarts)
		}
		living(t, sup, time.Millisecond)
		for _, end := range ends {
			end()
		}
	})
}

func TestNoFunctionOfTheUsersRunsUnderALockOfTheTree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release, hangs := make(chan struct{}), new(atomic.Int32)
		hang := func() { hangs.Add(1); <-release }
		w := unsteady("w")
		w.Decide = func(child.Exit) child.Decision { hang(); return child.ByType }
		bad := child.Spec{Name: "bad", Run: child.Func(func(context.Context) error { time.Sleep(time.Second); return &badError{text: hang} })}
		pool := supervisor.Spec{Name: "pool", Template: func(any) child.Spec { hang(); return worker("never") }}
		sup, err := supervisor.Options{Logger: slog.New(handler{handle: hang})}.Start(t.Context(), treeOf("root", w, bad, pool, worker("other")))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		go func() { _, _ = sup.Find("root/pool").StartChild(ctx, 0) }()
		time.Sleep(time.Second)
		synctest.Wait()
		if hangs.Load() != 4 {
			t.Errorf("%d functions hang", hangs.Load())
		}
		answers(t, "while four functions hang", callsOn(t.Context(), sup.Ref(), "other"), nil,
			"StartChild", "Bounce", "Spec", "Status", "Children", "Count", "TerminateChild", "RestartChild")
		_ = sup.Snapshot()
		cancel()
		close(release)
		stop(t, sup)
	})
}

func TestACrashLoopDoesNotFillTheLog(t *testing.T) {
	fails := func(context.Context) error { time.Sleep(10 * time.Millisecond); return errLife }
	endless := strategies.Intensity{Restarts: strategies.Unlimited}
	gives := one("worker", fails)
	gives.Name, gives.Intensity, gives.Backoff = "inner", never, noDelay
	for name, tt := range map[string]struct {
		kid  child.Specer
		most int // lines in two minutes
	}{
		"a child":                    {child.Spec{Name: "worker", Run: child.Func(fails)}, 20},
		"a supervisor that gives up": {gives, 60}, // its own lines, its child's, and those of its ends
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				sup, err := supervisor.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}.Start(t.Context(),
					supervisor.Spec{Name: "root", Intensity: endless, Backoff: noDelay, Children: []child.Specer{tt.kid}})
				if err != nil {
					t.Fatal(err)
				}
				time.Sleep(2*time.Minute - time.Second)
				if err := sup.Stop(t.Context()); err != nil {
					t.Error(err)
				}
				text := log.String()
				if n := strings.Count(text, "\n"); n < 20 || n > tt.most+5 { // and those of the stop
					t.Errorf("%d lines:\n%s", n, text)
				}
				if !strings.Contains(text, " suppressed=") {
					t.Errorf("no line tells how many were held back:\n%s", text)
				}
			})
		})
	}
}
