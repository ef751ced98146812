package supervisor_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/strategies"
	"github.com/coppice-go/coppice/supervisor"
)

// speechless is a value and an error whose methods panic.
type speechless struct{}

func (speechless) String() string { panic("no word") }

// silent is an error whose text panics.
type silent struct{}

func (silent) Error() string { panic("no word") }

func TestFaultAChildThatPanics(t *testing.T) {
	for name, tt := range map[string]struct {
		value any
		text  string
		is    error
	}{
		"with nil":                          {nil, "panic: panic called with nil argument", nil},
		"with a string":                     {"boom", "panic: boom", nil},
		"with an error":                     {errLife, "panic: life", errLife},
		"with context.Canceled":             {context.Canceled, "panic: context canceled", context.Canceled},
		"with a value whose String panics":  {speechless{}, "panic: supervisor_test.speechless, whose methods panic", nil},
		"with an error whose Error panics":  {silent{}, "panic: supervisor_test.silent, whose methods panic", nil},
		"with a nil pointer to an error":    {(*supervisor.CallError)(nil), "panic: ", nil},
		"with a number":                     {7, "panic: 7", nil},
		"with something that holds secrets": {struct{ password string }{"hunter2"}, "panic: a value of type struct", nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sup := start(t, one("w", func(ctx context.Context) error {
					if child.Incarnation(ctx) > 1 {
						return idle(ctx)
					}
					time.Sleep(time.Minute)
					panic(tt.value)
				}, worker("other")))
				time.Sleep(time.Hour)
				s, err := sup.Find("root/w").Status()
				if s.State != supervisor.Running || s.Incarnation != 2 || err != nil {
					t.Errorf("it is not restarted: %+v, %v", s, err)
				}
				exit := s.Last().Exit
				var panicked *child.PanicError
				if exit.Kind != child.Panicked || !errors.As(exit, &panicked) || !strings.Contains(panicked.Stack(), "fault_end_test.go") {
					t.Errorf("got %v", exit)
				}
				if !strings.HasPrefix(exit.String(), tt.text) || strings.Contains(exit.String(), "hunter2") {
					t.Errorf("got %q, want %q", exit, tt.text)
				}
				if tt.is != nil && !errors.Is(exit, tt.is) {
					t.Errorf("%v is not %v", exit, tt.is)
				}
				living(t, sup, 0)
			})
		})
	}
}

func TestFaultAChildThatExitsItsGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		leave := make(chan struct{})
		goer := child.Spec{Name: "w", Restart: child.Transient, Run: child.Func(func(ctx context.Context) error {
			select {
			case <-leave:
			case <-ctx.Done():
			}
			runtime.Goexit()
			return nil
		})}
		sup := start(t, treeOf("root", goer, worker("other")))
		time.Sleep(time.Minute)
		leave <- struct{}{}
		synctest.Wait()
		s, err := sup.Find("root/w").Status()
		if exit := s.Last().Exit; exit.Kind != child.Goexited || !exit.Abnormal() || s.State != supervisor.Running || s.Incarnation != 2 || err != nil {
			t.Errorf("got %+v, %v", s, err)
		}
		if err := sup.Ref().TerminateChild(t.Context(), "w"); err != nil {
			t.Error(err)
		}
		s, err = sup.Find("root/w").Status()
		if exit := s.Last().Exit; exit.Kind != child.Goexited || exit.Reason != child.ByCall || s.State != supervisor.Down || err != nil {
			t.Errorf("when told to stop: got %+v, %v", s, err)
		}
		living(t, sup, 0)
	})
	synctest.Test(t, func(t *testing.T) { // during its start
		_, err := quiet.Start(t.Context(), treeOf("root", child.Spec{
			Name: "w", Ready: child.Readiness{Call: true}, Run: child.Func(func(context.Context) error { runtime.Goexit(); return nil }),
		}))
		var exit *supervisor.ExitError
		if !errors.As(err, &exit) || exit.Cause != supervisor.InitFailed {
			t.Errorf("got %v", err)
		}
	})
}

func TestFaultAChildThatLocksItsThread(t *testing.T) {
	for _, own := range []bool{false, true} {
		runs := make(chan int, 100)
		n := 0
		spec := one("w", func(ctx context.Context) error {
			runtime.LockOSThread() // and never unlocks it
			n++
			runs <- n
			if n < 20 && n%5 == 0 {
				runtime.Goexit()
			}
			if n < 20 {
				return errLife
			}
			return idle(ctx)
		}, worker("other"))
		spec.Intensity.Restarts, spec.Backoff = strategies.Unlimited, noDelay
		locker := spec.Children[0].(child.Spec)
		locker.OwnThread = own
		spec.Children[0] = locker
		sup := start(t, spec)
		for want := 1; want <= 20; want++ {
			if got := <-runs; got != want {
				t.Errorf("own thread %v: got run %d, want %d", own, got, want)
			}
		}
		if err := sup.Find("root/other").Bounce(t.Context()); err != nil {
			t.Error(err)
		}
		if err := sup.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

// deafTo is a child that listens to nothing but release.
func deafTo(release <-chan struct{}, stuck child.Stuck) child.Spec {
	return child.Spec{Name: "deaf", Stuck: stuck, Run: child.Func(func(context.Context) error { <-release; return nil })}
}

func TestFaultAChildThatIgnoresItsContextForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		sup := start(t, treeOf("root", deafTo(release, child.Wait), worker("other")))
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if err := sup.Ref().TerminateChild(ctx, "deaf"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if s, err := sup.Find("root/deaf").Status(); s.State != supervisor.Stuck || s.Reason != child.ByCall || err != nil {
			t.Errorf("got %+v, %v", s, err)
		}
		for call, want := range map[string]error{"StartChild": nil, "DeleteChild": supervisor.ErrRunning, "RestartChild": supervisor.ErrRunning} {
			if err := callsOn(t.Context(), sup.Ref(), "deaf")[call](); !errors.Is(err, want) {
				t.Errorf("%s: got %v", call, err)
			}
		}
		if err := sup.Find("root/other").Bounce(t.Context()); err != nil {
			t.Error(err)
		}
		began := time.Now()
		err := sup.Stop(t.Context())
		var stop *supervisor.StopError
		if !errors.As(err, &stop) || len(stop.Blocked) != 1 || stop.Blocked[0].Path != "root/deaf" || stop.Blocked[0].Since < time.Hour ||
			!strings.Contains(stop.Blocked[0].Stack, "fault_end_test.go") {
			t.Errorf("got %+v", err)
		}
		if took := time.Since(began); took > supervisor.RootShutdown+time.Second {
			t.Errorf("the stop took %v", took)
		}
		if !isDone(sup) || !errors.Is(sup.Wait(), supervisor.ErrStuck) {
			t.Error("the tree has not ended")
		}
	})
	synctest.Test(t, func(t *testing.T) { // in a start that is rolled back
		release := make(chan struct{})
		defer close(release)
		spec := treeOf("root", deafTo(release, child.Wait), child.Spec{Name: "bad", Ready: child.Readiness{Call: true}, Run: child.Func(func(context.Context) error { return errLife })})
		began := time.Now()
		_, err := quiet.Start(t.Context(), spec)
		if !errors.Is(err, errLife) || !errors.Is(err, supervisor.ErrStuck) || time.Since(began) > supervisor.RootShutdown+time.Second {
			t.Errorf("got %v after %v", err, time.Since(began))
		}
	})
	synctest.Test(t, func(t *testing.T) { // in its own start
		release := make(chan struct{})
		defer close(release)
		spec := deafTo(release, child.Wait)
		spec.Ready = child.Readiness{Call: true, Patience: time.Second}
		began := time.Now()
		_, err := quiet.Start(t.Context(), treeOf("root", spec))
		if !errors.Is(err, supervisor.ErrStuck) || time.Since(began) > time.Minute {
			t.Errorf("got %v after %v", err, time.Since(began))
		}
	})
}

func TestFaultAChildThatReturnsWhileItIsBeingStopped(t *testing.T) {
	for name, tt := range map[string]struct {
		answer error
		kind   child.Kind
	}{
		"nil":                   {nil, child.Normal},
		"context.Canceled":      {context.Canceled, child.Normal},
		"something else":        {errLife, child.Failed},
		"a deadline of its own": {context.DeadlineExceeded, child.Failed},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var exits []child.Exit
				spec := one("w", func(ctx context.Context) error {
					<-ctx.Done()
					time.Sleep(time.Second)
					return tt.answer
				}, worker("other"))
				spec.Intensity = never
				sup := start(t, spec)
				go func() {
					for e := range sup.Events(t.Context(), 0) {
						if e.Kind == supervisor.ChildExited && e.Path == "root/w" {
							exits = append(exits, e.Exit)
						}
					}
				}()
				for range 3 { // stopped and started; never counted, whatever it answers
					if err := sup.Find("root/w").Bounce(t.Context()); err != nil {
						t.Error(err)
					}
				}
				if err := sup.Ref().TerminateChild(t.Context(), "w"); err != nil {
					t.Error(err)
				}
				if err := sup.Ref().RestartChild(t.Context(), "w"); err != nil {
					t.Error(err)
				}
				if err := sup.Stop(t.Context()); err != nil {
					t.Error(err)
				}
				synctest.Wait()
				if len(exits) != 5 {
					t.Errorf("%d exits were told", len(exits))
				}
				for _, exit := range exits {
					if exit.Kind != tt.kind || exit.Reason == child.NotTold {
						t.Errorf("got %v of kind %v, told for %v", exit, exit.Kind, exit.Reason)
					}
				}
			})
		})
	}
	synctest.Test(t, func(t *testing.T) { // at the very moment, again and again
		for range 50 {
			var end atomic.Pointer[chan struct{}]
			spec := one("w", func(ctx context.Context) error {
				c := make(chan struct{})
				end.Store(&c)
				select {
				case <-c:
					return nil
				case <-ctx.Done():
					return nil
				}
			}, worker("other"))
			spec.Backoff, spec.Intensity.Restarts = noDelay, strategies.Unlimited
			sup := start(t, spec)
			synctest.Wait()
			go close(*end.Load())
			if err := sup.Ref().TerminateChild(t.Context(), "w"); err != nil {
				t.Error(err)
			}
			synctest.Wait()
			if s, err := sup.Find("root/w").Status(); s.State != supervisor.Down || err != nil {
				t.Errorf("one that was terminated is %v, %v", s.State, err)
			}
			living(t, sup, 0)
		}
	})
}

// mortal is a child that fails when it is told to, once.
func mortal(name string, die <-chan struct{}) child.Spec {
	return child.Spec{Name: name, Run: child.Func(func(ctx context.Context) error {
		select {
		case <-die:
			return errLife
		case <-ctx.Done():
			return nil
		}
	})}
}

func TestFaultDeathsWhileSiblingsStart(t *testing.T) {
	for name, tt := range map[string]struct {
		restart child.Restart
		again   uint64
		state   supervisor.State
	}{
		"of a permanent child": {child.Permanent, 2, supervisor.Running},
		"of a transient child": {child.Transient, 2, supervisor.Running},
	} {
		t.Run(name, func(t *testing.T) {
			for _, strategy := range []strategies.Strategy{strategies.OneForOne, strategies.OneForAll, strategies.RestForOne} {
				synctest.Test(t, func(t *testing.T) {
					die := make(chan struct{})
					first := mortal("first", die)
					first.Restart = tt.restart
					slow := child.Spec{Name: "slow", Ready: child.Readiness{Call: true}, Run: child.Func(func(ctx context.Context) error {
						if child.Incarnation(ctx) == 1 {
							die <- struct{}{}
						}
						time.Sleep(time.Second)
						child.Ready(ctx)
						return idle(ctx)
					})}
					spec := treeOf("root", first, slow, worker("other"))
					spec.Strategy, spec.Backoff = strategy, noDelay
					sup := start(t, spec)
					time.Sleep(time.Minute)
					for _, at := range []string{"root/first", "root/slow", "root/other"} {
						s, err := sup.Find(at).Status()
						want := uint64(1)
						if at == "root/first" || strategy != strategies.OneForOne {
							want = tt.again
						}
						if s.State != tt.state || s.Incarnation != want || err != nil {
							t.Errorf("%v: %s: got %v #%d, %v", strategy, at, s.State, s.Incarnation, err)
						}
					}
					living(t, sup, 0)
				})
			}
		})
	}
	synctest.Test(t, func(t *testing.T) { // a temporary one is forgotten
		die := make(chan struct{})
		first := mortal("first", die)
		first.Restart = child.Temporary
		sup := start(t, treeOf("root", first, child.Spec{Name: "other", Ready: child.Readiness{Call: true}, Run: child.Func(func(ctx context.Context) error {
			if child.Incarnation(ctx) == 1 {
				die <- struct{}{}
				time.Sleep(time.Second)
			}
			child.Ready(ctx)
			return idle(ctx)
		})}))
		if _, err := sup.Find("root/first").Status(); !errors.Is(err, supervisor.ErrNotFound) {
			t.Errorf("got %v", err)
		}
		living(t, sup, 0)
	})
}

func TestFaultDeathsWhileSiblingsStop(t *testing.T) {
	for _, how := range []string{"stop", "group", "call"} {
		t.Run(how, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				die, trigger := make(chan struct{}), make(chan struct{})
				runs := map[string]*atomic.Int32{"victim": {}, "trigger": {}}
				counted := func(s child.Spec) child.Spec {
					run, n := s.Run, runs[s.Name]
					s.Run = child.Func(func(ctx context.Context) error { n.Add(1); return run.Serve(ctx) })
					return s
				}
				spec := treeOf("root", counted(mortal("victim", die)), lingerer("slow", 2*time.Second), counted(mortal("trigger", trigger)), worker("other"))
				spec.Backoff = noDelay
				if how == "group" {
					spec.Strategy = strategies.OneForAll
				}
				sup := start(t, spec)
				synctest.Wait()
				ended := make(chan error, 1)
				switch how {
				case "stop":
					go func() { ended <- sup.Stop(context.Background()) }()
				case "group":
					trigger <- struct{}{}
					ended <- nil
				case "call":
					go func() { ended <- sup.Ref().TerminateChild(context.Background(), "slow") }()
				}
				time.Sleep(time.Second)
				die <- struct{}{} // while "slow" still stops
				time.Sleep(time.Minute)
				if err := <-ended; err != nil {
					t.Error(err)
				}
				if how == "stop" {
					if err := sup.Wait(); err != nil || runs["victim"].Load() != 1 {
						t.Errorf("got %v after %d runs", err, runs["victim"].Load())
					}
					return
				}
				s, err := sup.Find("root/victim").Status()
				if s.State != supervisor.Running || s.Incarnation != 2 || runs["victim"].Load() != 2 || err != nil {
					t.Errorf("got %+v after %d runs, %v", s, runs["victim"].Load(), err)
				}
				if how == "group" && runs["trigger"].Load() != 2 {
					t.Errorf("the group was started %d times", runs["trigger"].Load()-1)
				}
				living(t, sup, 3*time.Second)
			})
		})
	}
}

func TestFaultASubscriberThatNeverReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		spec := one("w", func(context.Context) error { time.Sleep(time.Millisecond); return errLife }, worker("other"))
		spec.Intensity.Restarts, spec.Backoff = strategies.Unlimited, noDelay
		sup := start(t, spec)
		release, read := make(chan struct{}), make(chan uint64)
		for range 10 {
			go func() {
				var told, missed uint64
				for e := range sup.Events(context.Background(), 0) {
					if e.Kind == supervisor.Missed {
						missed += e.Missed
					} else if told++; told+missed != e.Seq {
						t.Errorf("event %d comes after %d told and %d missed", e.Seq, told, missed)
						told = e.Seq - missed
					}
					<-release
				}
				read <- missed
			}()
		}
		time.Sleep(5 * time.Second)
		if s, err := sup.Find("root/w").Status(); s.Restarts != 4999 && s.Restarts != 5000 || err != nil {
			t.Errorf("the tree was slowed: %d restarts, %v", s.Restarts, err)
		}
		living(t, sup, time.Millisecond)
		close(release)
		for range 10 {
			if missed := <-read; missed == 0 {
				t.Error("nothing was missed, which cannot be")
			}
		}
	})
}
