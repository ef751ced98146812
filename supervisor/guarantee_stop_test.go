package supervisor_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/strategies"
	"github.com/coppice-go/coppice/supervisor"
)

// lingering is a child that notes when it is told to stop, which then takes
// that long, and when its grace is over.
func (j *journal) lingering(name string, takes time.Duration) child.Spec {
	return child.Spec{Name: name, Shutdown: 2 * time.Second, Run: child.Func(func(ctx context.Context) error {
		<-ctx.Done()
		j.note("-" + name)
		select {
		case <-time.After(takes):
		case <-child.Killed(ctx):
			j.note("!" + name)
		}
		return nil
	})}
}

func TestChildrenStopOneAfterTheOtherInTheReverseOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := new(journal)
		sup := start(t, treeOf("root", j.lingering("a", time.Second), treeOf("sub", j.lingering("b", 3*time.Second), j.lingering("c", time.Second)), j.lingering("d", 3*time.Second)))
		began := time.Now()
		stop(t, sup)
		j.want(t, "-d !d -c -b !b -a")
		if took := time.Since(began); took != 6*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

func TestChildrenThatStopTogetherShareOneTimer(t *testing.T) {
	pool := supervisor.Spec{Name: "root", Template: func(arg any) child.Spec { return arg.(child.Spec) }}
	for name, spec := range map[string]supervisor.Spec{"a template": pool, "StopTogether": {Name: "root", StopTogether: true}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				j := new(journal)
				sup := start(t, spec)
				for _, name := range []string{"a", "b", "c"} {
					if _, err := sup.Ref().StartChild(t.Context(), j.lingering(name, time.Hour)); err != nil {
						t.Error(err)
					}
				}
				began := time.Now()
				stop(t, sup)
				if took := time.Since(began); took != 2*time.Second {
					t.Errorf("it took %v", took)
				}
			})
		})
	}
}

func TestAGoroutineThatOutlivesItsGraceIsStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j, m, release := new(journal), mortals{}, make(chan struct{})
		deaf := j.lingering("deaf", time.Hour)
		lingering := deaf.Run
		deaf.Run = child.Func(func(ctx context.Context) error {
			err := lingering.Serve(ctx)
			<-release
			return err
		})
		w := m.child(j, "w")
		w.Backoff = noDelay
		sup := start(t, treeOf("root", deaf, w))
		synctest.Wait()
		go func() { _ = sup.Find("root/deaf").Bounce(context.Background()) }()
		time.Sleep(3 * time.Second)
		j.want(t, "+w -deaf !deaf")
		if s := status(t, sup, "root/deaf"); s.State != supervisor.Stuck || s.Incarnation != 1 || s.Reason != child.ByBounce {
			t.Errorf("got %+v", s)
		}
		m["w"] <- errLife
		if s := status(t, sup, "root/w"); s.State != supervisor.Running || s.Incarnation != 2 {
			t.Errorf("got %+v", s)
		}
		close(release)
		if s := status(t, sup, "root/deaf"); s.State != supervisor.Running || s.Incarnation != 2 {
			t.Errorf("got %+v", s)
		}
		stop(t, sup)
	})
}

func TestStuckSaysWhatFollows(t *testing.T) {
	for stuck, want := range map[child.Stuck]struct {
		runs int32
		ends bool
	}{child.Wait: {1, false}, child.Escalate: {1, true}, child.Abandon: {2, false}} {
		t.Run(stuck.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var runs atomic.Int32
				release := make(chan struct{})
				defer close(release)
				sup := start(t, treeOf("root", child.Spec{Name: "deaf", Stuck: stuck, Run: child.Func(func(context.Context) error {
					runs.Add(1)
					<-release
					return nil
				})}))
				go func() { _ = sup.Find("root/deaf").Bounce(t.Context()) }()
				time.Sleep(time.Minute)
				if runs.Load() != want.runs || isDone(sup) != want.ends {
					t.Errorf("got %d runs, and the tree has ended: %v", runs.Load(), isDone(sup))
				}
				_ = sup.Stop(t.Context())
				var exit *supervisor.ExitError
				if err := sup.Wait(); errors.As(err, &exit) != want.ends || want.ends && !strings.Contains(exit.Stack, "guarantee_stop_test.go") {
					t.Errorf("got %v", err)
				}
			})
		})
	}
}

func TestAStopTakesNoLongerThanItsBudgetAndASecond(t *testing.T) {
	for name, tt := range map[string]struct {
		shutdown, deadline, want time.Duration
	}{
		"the default":                          {0, 0, supervisor.RootShutdown},
		"the root's Shutdown":                  {time.Minute, 0, time.Minute},
		"the deadline":                         {time.Minute, 3 * time.Second, 3 * time.Second},
		"the deadline, though the root's ends": {time.Second, 3 * time.Second, 3 * time.Second},
		"a brutal kill":                        {child.BrutalKill, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				release := make(chan struct{})
				defer close(release)
				j := new(journal)
				deaf := deafTo(release, child.Wait)
				deaf.Shutdown = child.Infinity
				slow := j.lingering("slow", time.Hour)
				slow.Shutdown = child.Infinity
				spec := treeOf("root", slow, treeOf("sub", deaf))
				spec.Shutdown = tt.shutdown
				log := handler{handle: func() { <-release }} // which hangs, too
				sup, err := supervisor.Options{Logger: slog.New(log)}.Start(t.Context(), spec)
				if err != nil {
					t.Fatal(err)
				}
				ctx := t.Context()
				if tt.deadline > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, tt.deadline)
					defer cancel()
				}
				began := time.Now()
				err = sup.Stop(ctx)
				if took := time.Since(began); took < tt.want || took >= tt.want+time.Second {
					t.Errorf("it took %v, want %v", took, tt.want)
				}
				var blocked *supervisor.StopError
				if !errors.As(err, &blocked) || len(blocked.Blocked) != 1 {
					t.Fatalf("got %v", err)
				}
				b := blocked.Blocked[0]
				if b.Path != "root/sub/deaf" || b.Since < tt.want || b.Since > tt.want+time.Second || !strings.Contains(b.Stack, "fault_end_test.go") {
					t.Errorf("got %+v", b)
				}
				j.want(t, "-slow !slow") // what could end has ended
			})
		})
	}
}

func TestTheEarliestDeadlineOfAStopHolds(t *testing.T) {
	for name, deadlines := range map[string][2]time.Duration{
		"the first":  {3 * time.Second, time.Minute},
		"the second": {time.Minute, 3 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				slow := new(journal).lingering("slow", time.Hour)
				slow.Shutdown = child.Infinity
				sup := start(t, treeOf("root", slow))
				began := time.Now()
				for _, d := range deadlines {
					ctx, cancel := context.WithTimeout(t.Context(), d)
					defer cancel()
					go func() { _ = sup.Stop(ctx) }()
					synctest.Wait()
				}
				if err := sup.Wait(); err != nil || time.Since(began) != 3*time.Second {
					t.Errorf("got %v after %v", err, time.Since(began))
				}
			})
		})
	}
}

func TestAContextThatIsCancelledEndsTheWaitAndNotTheStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := new(journal)
		sup := start(t, treeOf("root", j.lingering("a", time.Second), j.lingering("b", time.Second)))
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second/2, func() { cancel(errLife) })
		began := time.Now()
		if err := sup.Stop(ctx); !errors.Is(err, errLife) || time.Since(began) != time.Second/2 {
			t.Errorf("got %v after %v", err, time.Since(began))
		}
		if err := sup.Wait(); err != nil || time.Since(began) != 2*time.Second {
			t.Errorf("got %v after %v", err, time.Since(began))
		}
		j.want(t, "-b -a")
	})
}

func TestTheEndOfTheContextGivenToStartOrRunIsAnOrderlyStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := new(journal)
		spec := treeOf("root", j.lingering("a", time.Second), j.lingering("b", time.Second))
		spec.Strategy = strategies.OneForAll
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		sup, err := quiet.Start(ctx, spec)
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if err := sup.Wait(); err != nil || time.Since(began) != time.Minute+2*time.Second {
			t.Errorf("Start: got %v after %v", err, time.Since(began))
		}
		j.want(t, "-b -a")
		ctx, cancel = context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := quiet.Run(ctx, spec); err != nil {
			t.Errorf("Run: got %v", err)
		}
		j.want(t, "-b -a")
	})
}
