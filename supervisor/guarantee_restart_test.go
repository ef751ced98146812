package supervisor_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/strategies"
	"github.com/coppice-go/coppice/supervisor"
)

// mortals is a set of children that end on demand, with that answer.
type mortals map[string]chan error

// child is one of the set, which notes its beginning and its being told to stop.
func (m mortals) child(j *journal, name string) child.Spec {
	c := make(chan error)
	m[name] = c
	return child.Spec{Name: name, Run: child.Func(func(ctx context.Context) error {
		j.note("+" + name)
		select {
		case err := <-c:
			return err
		case <-ctx.Done():
			j.note("-" + name)
			return nil
		}
	})}
}

func TestNRestartsWithinThePeriodAreAllowedAndTheNextIsRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		last time.Duration // from the first to the fourth restart
		ends bool
	}{
		"the age is the period":                {10 * time.Second, true},
		"the age is a nanosecond more than it": {10*time.Second + 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := mortals{}
				spec := treeOf("root", m.child(new(journal), "w"))
				spec.Intensity, spec.Backoff = strategies.Intensity{Restarts: 3, Period: 10 * time.Second}, noDelay
				sup := start(t, spec)
				m["w"] <- errLife
				m["w"] <- errLife
				m["w"] <- errLife
				time.Sleep(tt.last)
				m["w"] <- errLife
				synctest.Wait()
				if isDone(sup) != tt.ends {
					t.Errorf("the tree has ended: %v", isDone(sup))
				}
				_ = sup.Stop(t.Context())
				if err := sup.Wait(); errors.Is(err, errLife) != tt.ends {
					t.Errorf("got %v", err)
				}
			})
		})
	}
}

func TestUnderOneForOneEveryChildHasALifeOfItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, j := mortals{}, new(journal)
		first := true
		starter := child.Spec{Name: "starter", Ready: child.Readiness{Call: true}, Backoff: noDelay, Run: child.Func(func(ctx context.Context) error {
			if first {
				first = false
				child.Ready(ctx)
				time.Sleep(time.Second)
				return errLife
			}
			return idle(ctx) // never ready
		})}
		delayed := child.Spec{Name: "delayed", Backoff: strategies.Backoff{Min: time.Hour, Max: time.Hour, Threshold: time.Hour}, Run: child.Func(func(context.Context) error { return errLife })}
		w := m.child(j, "w")
		w.Backoff = noDelay
		sup := start(t, treeOf("root", starter, delayed, lingerer("slow", 4*time.Second), w, worker("other")))
		time.Sleep(time.Second)
		go func() { _ = sup.Ref().TerminateChild(context.Background(), "slow") }()
		synctest.Wait()
		for path, want := range map[string]supervisor.State{"root/starter": supervisor.Starting, "root/delayed": supervisor.Restarting, "root/slow": supervisor.Stopping} {
			if s := status(t, sup, path); s.State != want {
				t.Errorf("%s is %v", path, s.State)
			}
		}
		began := time.Now()
		m["w"] <- errLife
		if s := status(t, sup, "root/w"); s.State != supervisor.Running || s.Restarts != 1 {
			t.Errorf("got %+v", s)
		}
		answers(t, "about another", callsOn(t.Context(), sup.Ref(), "other"), nil, "Bounce", "StartChild", "TerminateChild", "DeleteChild")
		if time.Since(began) > 0 {
			t.Errorf("it took %v", time.Since(began))
		}
		stop(t, sup)
	})
}

func TestAGroupWhoseChildFailedStopsAtOnceAndWaitsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, j := mortals{}, new(journal)
		spec := treeOf("root", m.child(j, "a"), m.child(j, "b"), m.child(j, "c"))
		spec.Strategy = strategies.OneForAll
		sup := start(t, spec)
		j.take()
		m["b"] <- errLife
		j.want(t, "-c -a")
		for path, want := range map[string]supervisor.State{"root/a": supervisor.Down, "root/b": supervisor.Restarting, "root/c": supervisor.Down} {
			if s := status(t, sup, path); s.State != want {
				t.Errorf("%s is %v", path, s.State)
			}
		}
		time.Sleep(time.Second)
		for _, path := range []string{"root/a", "root/b", "root/c"} {
			if s := status(t, sup, path); s.State != supervisor.Running || s.Incarnation != 2 {
				t.Errorf("%s is %v #%d", path, s.State, s.Incarnation)
			}
		}
		stop(t, sup)
	})
}

func TestAStopATerminateAndABounceEndADelay(t *testing.T) {
	for name, tt := range map[string]struct {
		act  func(*supervisor.Supervisor) error
		want supervisor.State
	}{
		"stop":      {func(s *supervisor.Supervisor) error { return s.Stop(context.Background()) }, supervisor.Down},
		"terminate": {func(s *supervisor.Supervisor) error { return s.Ref().TerminateChild(context.Background(), "w") }, supervisor.Down},
		"bounce":    {func(s *supervisor.Supervisor) error { return s.Find("root/w").Bounce(context.Background()) }, supervisor.Running},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := mortals{}
				sup := start(t, treeOf("root", m.child(new(journal), "w")))
				m["w"] <- errLife
				if s := status(t, sup, "root/w"); s.State != supervisor.Restarting {
					t.Errorf("it is %v", s.State)
				}
				began := time.Now()
				if err := tt.act(sup); err != nil || time.Since(began) > 0 {
					t.Errorf("got %v after %v", err, time.Since(began))
				}
				time.Sleep(time.Minute)
				if s := status(t, sup, "root/w"); s.State != tt.want {
					t.Errorf("it is %v, want %v", s.State, tt.want)
				}
				stop(t, sup)
			})
		})
	}
}

func TestADeliberateStopIsNoFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := mortals{}
		spec := treeOf("root", m.child(new(journal), "w"))
		spec.Intensity = strategies.Intensity{Restarts: 2, Period: time.Hour}
		sup := start(t, spec)
		for range 10 { // runs of no length
			for _, err := range []error{
				sup.Find("root/w").Bounce(t.Context()), sup.Ref().RestartAll(t.Context()),
				sup.Ref().TerminateChild(t.Context(), "w"), sup.Ref().RestartChild(t.Context(), "w"),
			} {
				if err != nil {
					t.Error(err)
				}
			}
		}
		if s := status(t, sup, "root/w"); s.Restarts != 0 || s.WindowRestarts != 0 || s.State != supervisor.Running {
			t.Errorf("got %+v", s)
		}
		m["w"] <- errLife
		if s := status(t, sup, "root/w"); s.Wait != time.Second {
			t.Errorf("its first failure waits %v", s.Wait)
		}
		stop(t, sup)
	})
}

func TestWhatARunReturnsThatWasToldToStopIsNeverCounted(t *testing.T) {
	for name, tt := range map[string]struct {
		answer func(context.Context) error
		clean  bool
	}{
		"nil":               {func(context.Context) error { return nil }, true},
		"context.Canceled":  {func(ctx context.Context) error { return ctx.Err() }, true},
		"one that wraps it": {func(ctx context.Context) error { return fmt.Errorf("reading: %w", ctx.Err()) }, true},
		"the cause":         {context.Cause, true},
		"an error":          {func(context.Context) error { return errLife }, false},
		"a panic":           {func(context.Context) error { panic("boom") }, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				spec := one("w", func(ctx context.Context) error {
					<-ctx.Done()
					return tt.answer(ctx)
				})
				spec.Intensity = never
				sup := start(t, spec)
				before := sup.Snapshot().Seq
				if err := sup.Find("root/w").Bounce(t.Context()); err != nil {
					t.Error(err)
				}
				s := status(t, sup, "root/w")
				if s.State != supervisor.Running || s.WindowRestarts != 0 || len(s.Deaths) == 0 != tt.clean {
					t.Errorf("got %+v", s)
				}
				stop(t, sup)
				told := 0
				for e := range sup.Events(t.Context(), before) {
					if e.Kind == supervisor.ChildExited && e.Incarnation == 1 {
						if told++; (e.Exit.AsError() == nil) != tt.clean {
							t.Errorf("got %v", e.Exit)
						}
					}
				}
				if told != 1 {
					t.Errorf("it was told %d times", told)
				}
			})
		})
	}
}

func TestARunWhoseReadinessWasLateHasFailedWhateverItReturns(t *testing.T) {
	for _, answer := range []error{nil, context.Canceled, errLife} {
		synctest.Test(t, func(t *testing.T) {
			late := child.Spec{Name: "w", Restart: child.Transient, Ready: child.Readiness{Call: true}, Run: child.Func(func(ctx context.Context) error {
				<-ctx.Done()
				child.Ready(ctx) // too late
				return answer
			})}
			_, err := quiet.Start(t.Context(), treeOf("root", late))
			var exit child.Exit
			if !errors.As(err, &exit) || exit.Kind != child.StartFailed || !exit.Abnormal() {
				t.Errorf("%v: got %v", answer, err)
			}
		})
	}
}

func TestToBeCancelledWithoutHavingBeenToldIsAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := mortals{}
		w := m.child(new(journal), "w")
		w.Restart = child.Transient
		sup := start(t, treeOf("root", w))
		m["w"] <- context.Canceled
		time.Sleep(time.Minute)
		if s := status(t, sup, "root/w"); s.State != supervisor.Running || s.Restarts != 1 || s.Last().Exit.Kind != child.Failed {
			t.Errorf("got %+v", s)
		}
		stop(t, sup)
	})
}

func TestBeingToldToStopIsANilReturnOrNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := mortals{}
		w := m.child(new(journal), "w")
		w.Restart = child.Transient
		sup := start(t, treeOf("root", w))
		m["w"] <- nil
		time.Sleep(time.Minute)
		if s := status(t, sup, "root/w"); s.State != supervisor.Down || s.Restarts != 0 || s.Last().Exit.Abnormal() {
			t.Errorf("got %+v", s)
		}
		stop(t, sup)
	})
}

func TestASupervisorThatGaveUpHasShutDownForTheOneAbove(t *testing.T) {
	for restart, want := range map[child.Restart]supervisor.State{
		child.Permanent: supervisor.Running, child.Transient: supervisor.Down,
	} {
		synctest.Test(t, func(t *testing.T) {
			m := mortals{}
			sub := supervisor.Spec{Name: "sub", Restart: restart, Intensity: never, Backoff: noDelay, Children: []child.Specer{m.child(new(journal), "w")}}
			sup := start(t, treeOf("root", sub))
			m["w"] <- errLife
			time.Sleep(time.Minute)
			s := status(t, sup, "root/sub")
			if exit := s.Last().Exit; s.State != want || exit.Kind != child.GaveUp || exit.Abnormal() || !errors.Is(exit, errLife) {
				t.Errorf("%v: got %+v", restart, s)
			}
			stop(t, sup)
		})
	}
}

func TestASupervisorThatGaveUpHasHadAShortRunHoweverLongItLived(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := mortals{}
		sub := supervisor.Spec{Name: "sub", Intensity: never, Backoff: noDelay, Children: []child.Specer{m.child(new(journal), "w")}}
		sup := start(t, treeOf("root", sub))
		for want := time.Second; want < 10*time.Second; want *= 2 {
			time.Sleep(time.Hour)
			m["w"] <- errLife
			if s := status(t, sup, "root/sub"); s.State != supervisor.Restarting || s.Wait != want {
				t.Errorf("got %v in %v, want %v", s.State, s.Wait, want)
			}
		}
		stop(t, sup)
	})
}

func TestTheErrorOfASupervisorUnwrapsToTheExitThatCausedIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		errSibling := errors.New("sibling")
		m := mortals{}
		spec := treeOf("root", child.Spec{Name: "sibling", Run: child.Func(func(ctx context.Context) error {
			<-ctx.Done()
			return errSibling
		})}, m.child(new(journal), "w"))
		spec.Intensity, spec.Backoff = never, noDelay
		sup := start(t, spec)
		m["w"] <- errLife
		err := sup.Wait()
		var exit *supervisor.ExitError
		if !errors.As(err, &exit) || exit.Child != "root/w" || !errors.Is(err, errLife) || errors.Is(err, errSibling) {
			t.Fatalf("got %v", err)
		}
		if len(exit.Answers) != 1 || exit.Answers[0].Path != "root/sibling" || !errors.Is(exit.Answers[0].Exit, errSibling) {
			t.Errorf("the answers are %v", exit.Answers)
		}
		if text := err.Error(); strings.Contains(text, "sibling") {
			t.Errorf("got %s", text)
		}
	})
}
