package supervisor_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/strategies"
	"github.com/coppice-go/coppice/supervisor"
)

// misbehaviours are what code of the user's may do instead of returning.
func misbehaviours(release <-chan struct{}) map[string]func() {
	return map[string]func(){
		"panics":                    func() { panic("boom") },
		"panics with nil":           func() { panic(nil) },
		"exits its goroutine":       runtime.Goexit,
		"blocks":                    func() { <-release },
		"takes longer than is good": func() { time.Sleep(time.Minute) },
	}
}

// eachMisbehaviour runs a test for each in a bubble.
func eachMisbehaviour(t *testing.T, test func(t *testing.T, name string, misbehave func())) {
	t.Helper()
	for name := range misbehaviours(nil) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				release := make(chan struct{})
				defer time.Sleep(24 * time.Hour) // until all that sleeps has ended
				defer close(release)
				test(t, name, misbehaviours(release)[name])
			})
		})
	}
}

// living fails unless the tree does its work: its child "other" runs and can be
// restarted, and the tree stops within the time; if that is its whole budget,
// its child "w" was left behind.
func living(t *testing.T, sup *supervisor.Supervisor, within time.Duration) {
	t.Helper()
	began := time.Now()
	if err := sup.Find("root/other").Bounce(t.Context()); err != nil || time.Since(began) > 0 {
		t.Errorf("a bounce of a sibling: got %v after %v", err, time.Since(began))
	}
	err := sup.Stop(t.Context())
	if errors.Is(err, supervisor.ErrStuck) != (within == supervisor.RootShutdown) || time.Since(began) > within {
		t.Errorf("the stop: got %v after %v, want at most %v", err, time.Since(began), within)
	}
}

// unsteady is a child that fails once, after a second, and then waits for its end.
func unsteady(name string) child.Spec {
	runs := new(atomic.Int32)
	return child.Spec{Name: name, Backoff: noDelay, Run: child.Func(func(ctx context.Context) error {
		if runs.Add(1) > 1 {
			return idle(ctx)
		}
		time.Sleep(time.Second)
		return errLife
	})}
}

func TestFaultADecideThatMisbehaves(t *testing.T) {
	eachMisbehaviour(t, func(t *testing.T, _ string, misbehave func()) {
		spec := unsteady("w")
		spec.Decide = func(child.Exit) child.Decision { misbehave(); return child.CompleteIt }
		sup := start(t, treeOf("root", spec, worker("other")))
		time.Sleep(time.Second + 6*time.Second) // it has five to answer
		if s, err := sup.Find("root/w").Status(); s.State != supervisor.Running || s.Incarnation != 2 || err != nil {
			t.Errorf("its child is not restarted by its type: %+v, %v", s, err)
		}
		living(t, sup, 0)
	})
}

func TestFaultADecideThatSaysNothingKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		spec := unsteady("w")
		spec.Decide = func(child.Exit) child.Decision { return child.Decision(200) }
		sup := start(t, treeOf("root", spec, worker("other")))
		time.Sleep(2 * time.Second)
		if s, err := sup.Find("root/w").Status(); s.State != supervisor.Running || s.Incarnation != 2 || err != nil {
			t.Errorf("got %+v, %v", s, err)
		}
		living(t, sup, 0)
	})
}

func TestFaultADecideThatCallsTheSupervisor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		made, self := make(chan *supervisor.Supervisor, 1), make(chan error, 1)
		spec := unsteady("w")
		spec.Decide = func(child.Exit) child.Decision {
			sup := <-made
			if err := sup.Find("root/other").Bounce(context.Background()); err != nil {
				t.Error(err)
			}
			if _, err := sup.Ref().Count(); err != nil {
				t.Error(err)
			}
			_ = sup.Snapshot()
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			self <- sup.Find("root/w").Bounce(ctx) // which waits for this very answer
			return child.CompleteIt
		}
		sup := start(t, treeOf("root", spec, worker("other")))
		made <- sup
		time.Sleep(time.Hour)
		if s, err := sup.Find("root/w").Status(); s.State != supervisor.Running || s.Incarnation != 2 || err != nil {
			t.Errorf("got %+v, %v", s, err)
		}
		if err := <-self; err != nil {
			t.Errorf("the call about itself: %v", err)
		}
		living(t, sup, 0)
	})
}

// decider is a service that decides, or does something else.
type decider struct {
	child.Service
	decides, decide func()
}

func (d decider) Decides() bool                    { call(d.decides); return true }
func (d decider) Decide(child.Exit) child.Decision { call(d.decide); return child.CompleteIt }

func TestFaultADeciderThatMisbehaves(t *testing.T) {
	boom := func() { panic("boom") }
	only(t, mistakes(t, treeOf("root", child.Spec{Name: "w", Run: decider{child.Func(idle), boom, nil}})),
		"root/w", "Run", "supervisor_test.decider", "its Decides panicked: boom")
	for _, method := range []string{"Decides", "Decide"} {
		t.Run(method, func(t *testing.T) {
			eachMisbehaviour(t, func(t *testing.T, _ string, misbehave func()) {
				var asked atomic.Bool // the tree is made: from now on
				later := func() {
					if asked.Load() {
						misbehave()
					}
				}
				spec := unsteady("w")
				d := decider{Service: spec.Run}
				if d.decides = later; method == "Decide" {
					d.decides, d.decide = nil, later
				}
				spec.Run = d
				sup := start(t, treeOf("root", spec, worker("other")))
				asked.Store(true)
				time.Sleep(time.Second + 6*time.Second)
				if s, err := sup.Find("root/w").Status(); s.State != supervisor.Running || s.Incarnation != 2 || err != nil {
					t.Errorf("its child is not restarted by its type: %+v, %v", s, err)
				}
				living(t, sup, 0)
			})
		})
	}
}

func TestFaultATemplateThatMisbehaves(t *testing.T) {
	eachMisbehaviour(t, func(t *testing.T, name string, misbehave func()) {
		pool := supervisor.Spec{Name: "pool", Template: func(arg any) child.Spec {
			if arg == "bad" {
				misbehave()
			}
			return child.Spec{Run: child.Func(idle)}
		}}
		sup := start(t, treeOf("root", pool, worker("other")))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		at, err := sup.Find("root/pool").StartChild(ctx, "bad")
		slow := name == "blocks" || name == "takes longer than is good"
		if err == nil || at != (supervisor.Ref{}) || slow && !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, %v", at, err)
		}
		if at, err := sup.Find("root/pool").StartChild(t.Context(), "good"); err != nil || at.Path() != "root/pool/1" {
			t.Errorf("got %v, %v", at, err)
		}
		living(t, sup, 0)
	})
}

func TestFaultATemplateThatCallsTheSupervisor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sup *supervisor.Supervisor
		sup = start(t, treeOf("root", worker("other"), supervisor.Spec{Name: "pool", Template: func(arg any) child.Spec {
			if arg == "two" {
				if _, err := sup.Find("root/pool").StartChild(context.Background(), "one"); err != nil {
					t.Error(err)
				}
			}
			return child.Spec{Name: arg.(string), Run: child.Func(idle)}
		}}))
		if _, err := sup.Find("root/pool").StartChild(t.Context(), "two"); err != nil {
			t.Error(err)
		}
		if n, err := sup.Find("root/pool").Count(); n.Active != 2 || err != nil {
			t.Errorf("got %+v, %v", n, err)
		}
		living(t, sup, 0)
	})
}

// handler is a log handler of which each method may misbehave.
type handler struct{ enabled, handle func() }

func (h handler) Enabled(context.Context, slog.Level) bool  { call(h.enabled); return true }
func (h handler) Handle(context.Context, slog.Record) error { call(h.handle); return errLife }
func (h handler) WithAttrs([]slog.Attr) slog.Handler        { return h }
func (h handler) WithGroup(string) slog.Handler             { return h }

func TestFaultALogHandlerThatMisbehaves(t *testing.T) {
	for _, method := range []string{"Enabled", "Handle"} {
		t.Run(method, func(t *testing.T) {
			eachMisbehaviour(t, func(t *testing.T, _ string, misbehave func()) {
				var calls atomic.Int32
				h := handler{handle: func() { calls.Add(1); misbehave() }}
				if method == "Enabled" {
					h.enabled, h.handle = h.handle, nil
				}
				failing := one("w", func(context.Context) error { time.Sleep(time.Millisecond); return errLife }, worker("other"))
				failing.Intensity.Restarts, failing.Backoff = -1, noDelay
				for i := range 300 { // more lines than are queued
					failing.Children = append(failing.Children, worker(fmt.Sprint("c", i)))
				}
				sup, err := supervisor.Options{Logger: slog.New(h)}.Start(t.Context(), failing)
				if err != nil {
					t.Fatal(err)
				}
				time.Sleep(3 * time.Second)
				if s, err := sup.Find("root/w").Status(); s.Restarts < 2900 || err != nil || calls.Load() == 0 {
					t.Errorf("got %d restarts, %v, and %d lines", s.Restarts, err, calls.Load())
				}
				living(t, sup, time.Second)
			})
		})
	}
}

func TestFaultALogHandlerThatCallsTheSupervisor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sup atomic.Pointer[supervisor.Supervisor]
		h := handler{handle: func() {
			if s := sup.Swap(nil); s != nil {
				if err := s.Find("root/other").Bounce(context.Background()); err != nil {
					t.Error(err)
				}
				_ = s.Snapshot()
				_ = s.Stop(context.Background())
			}
		}}
		s, err := supervisor.Options{Logger: slog.New(h)}.Start(t.Context(), treeOf("root", unsteady("w"), worker("other")))
		if err != nil {
			t.Fatal(err)
		}
		sup.Store(s)
		began := time.Now()
		if err := s.Wait(); err != nil || time.Since(began) > 2*time.Second {
			t.Errorf("got %v after %v", err, time.Since(began))
		}
	})
}

func TestFaultARedactorThatMisbehaves(t *testing.T) {
	eachMisbehaviour(t, func(t *testing.T, name string, misbehave func()) {
		opts := quiet
		opts.Redact = func(s string) string { misbehave(); return s }
		var said atomic.Pointer[string]
		spec := one("w", func(ctx context.Context) error {
			if child.Incarnation(ctx) == 1 {
				text := child.Redact(ctx, "--password=x")
				said.Store(&text)
			}
			return idle(ctx)
		}, worker("other"))
		sup, err := opts.Start(t.Context(), spec)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if panics := name == "panics" || name == "panics with nil"; panics != (said.Load() != nil && *said.Load() == "(the redactor panicked)") {
			t.Errorf("got %v", said.Load())
		}
		if name == "blocks" || name == "takes longer than is good" {
			living(t, sup, supervisor.RootShutdown)
			return
		}
		living(t, sup, 0)
	})
}

// badError is an error of which each method may misbehave.
type badError struct{ text, is, unwrap func() }

func (e *badError) Error() string   { call(e.text); return "bad" }
func (e *badError) Is(error) bool   { call(e.is); return false }
func (e *badError) Unwrap() []error { call(e.unwrap); return []error{errLife} }

func TestFaultAnErrorThatMisbehaves(t *testing.T) {
	for _, method := range []string{"Error", "Is", "Unwrap"} {
		for _, told := range []bool{false, true} {
			t.Run(method+map[bool]string{true: " when told to stop"}[told], func(t *testing.T) {
				eachMisbehaviour(t, func(t *testing.T, name string, misbehave func()) {
					bad := &badError{}
					*map[string]*func(){"Error": &bad.text, "Is": &bad.is, "Unwrap": &bad.unwrap}[method] = misbehave
					spec := one("w", func(ctx context.Context) error {
						if child.Incarnation(ctx) > 1 {
							return idle(ctx)
						}
						if told {
							_ = idle(ctx)
						}
						time.Sleep(time.Second)
						return bad
					}, worker("other"))
					spec.Backoff = noDelay
					sup := start(t, spec)
					if told {
						go func() { _ = sup.Find("root/w").Bounce(t.Context()) }()
					}
					time.Sleep(time.Hour)
					s, err := sup.Find("root/w").Status()
					if name == "blocks" { // in the goroutine of its own run, which so does not end
						if s.Incarnation != 1 || err != nil {
							t.Errorf("got %+v, %v", s, err)
						}
						living(t, sup, supervisor.RootShutdown)
						return
					}
					if s.State != supervisor.Running || s.Incarnation != 2 || err != nil {
						t.Errorf("got %+v, %v", s, err)
					}
					living(t, sup, 0)
				})
			})
		}
	}
}

func TestFaultAnErrorThatMisbehavesAndEndsTheTree(t *testing.T) {
	eachMisbehaviour(t, func(t *testing.T, name string, misbehave func()) {
		var later atomic.Bool
		bad := &badError{is: func() {
			if later.Load() {
				misbehave()
			}
		}}
		spec := one("w", func(context.Context) error { time.Sleep(time.Second); return bad })
		spec.Intensity, spec.Backoff = never, noDelay
		spec.Children[0] = withDecide(spec.Children[0], func(child.Exit) child.Decision { later.Store(true); return child.ByType })
		sup := start(t, spec)
		<-sup.Done()
		var exit *supervisor.ExitError
		if err := sup.Wait(); !errors.As(err, &exit) || exit.Cause != supervisor.GaveUp {
			t.Errorf("got %v", err)
		}
	})
}

func withDecide(c child.Specer, f func(child.Exit) child.Decision) child.Spec {
	spec := c.ChildSpec()
	spec.Decide = f
	return spec
}

func TestFaultAServiceMakerThatMisbehaves(t *testing.T) {
	eachMisbehaviour(t, func(t *testing.T, name string, misbehave func()) {
		first := true
		made := child.Spec{Name: "w", Run: child.Fresh(func() child.Service {
			if !first {
				misbehave()
			}
			first = false
			return unsteady("w").Run
		}), Backoff: strategies.Backoff{Min: time.Minute}, Ready: child.Readiness{Patience: 10 * time.Second}}
		sup := start(t, treeOf("root", made, worker("other")))
		time.Sleep(10 * time.Second)
		if s, err := sup.Find("root/w").Status(); s.State == supervisor.Running || s.Incarnation < 2 || err != nil {
			t.Errorf("got %+v, %v", s, err)
		}
		if name == "blocks" || name == "takes longer than is good" {
			living(t, sup, supervisor.RootShutdown)
			return
		}
		living(t, sup, 0)
	})
}

func TestFaultAListenerThatMisbehaves(t *testing.T) {
	eachMisbehaviour(t, func(t *testing.T, _ string, misbehave func()) {
		sup := start(t, treeOf("root", unsteady("w"), worker("other")))
		for range 3 {
			go func() {
				defer func() { _ = recover() }() // it is the user's own goroutine
				for range sup.Events(t.Context(), 0) {
					misbehave()
				}
			}()
		}
		time.Sleep(time.Minute)
		if s, err := sup.Find("root/w").Status(); s.State != supervisor.Running || s.Incarnation != 2 || err != nil {
			t.Errorf("got %+v, %v", s, err)
		}
		living(t, sup, 0)
	})
	synctest.Test(t, func(t *testing.T) { // one that calls the supervisor
		sup := start(t, treeOf("root", unsteady("w"), worker("other")))
		for e := range sup.Events(t.Context(), 0) {
			_ = sup.Snapshot()
			if e.Kind == supervisor.ChildExited && e.Exit.Kind == child.Failed {
				living(t, sup, 0)
			}
		}
	})
}

func TestDecideIsAskedForANormalExitToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked []child.Kind
		spec := child.Spec{Name: "w", Run: child.Func(func(context.Context) error { time.Sleep(time.Second); return nil }), Decide: func(e child.Exit) child.Decision {
			asked = append(asked, e.Kind)
			return child.CompleteIt
		}}
		sup := start(t, treeOf("root", spec, worker("other")))
		time.Sleep(time.Minute)
		if s, err := sup.Find("root/w").Status(); s.State != supervisor.Down || len(asked) != 1 || asked[0] != child.Normal || err != nil {
			t.Errorf("got %+v, %v, after %v", s, err, asked)
		}
		living(t, sup, 0)
	})
}

func TestDecideHearsOfAWorkersErrorAsOfAnyOther(t *testing.T) {
	for name, err := range map[string]error{
		"as if a supervisor gave up":        &child.EndError{Kind: child.GaveUp, Err: errLife},
		"as if a supervisor shut down":      &child.EndError{Kind: child.ShutDown, Err: errLife},
		"as if a supervisor did not start":  &child.EndError{Kind: child.StartFailed, Err: errLife},
		"as if it had not started":          &child.StartError{Err: errLife},
		"as if it had not started, for now": &child.StartError{Err: errLife, Temporary: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var asked []child.Exit
				spec := child.Spec{
					Name: "w", Restart: child.Transient,
					Run:    child.Func(func(context.Context) error { time.Sleep(time.Second); return err }),
					Decide: func(e child.Exit) child.Decision { asked = append(asked, e); return child.CompleteIt },
				}
				sup := start(t, treeOf("root", spec, worker("other")))
				time.Sleep(time.Minute)
				synctest.Wait()
				if len(asked) != 1 || asked[0].Kind != child.Failed || asked[0].Temporary || !errors.Is(asked[0], errLife) {
					t.Fatalf("it was asked about %+v", asked)
				}
				if s, err := sup.Find("root/w").Status(); s.State != supervisor.Down || s.Last().Exit.String() != asked[0].String() || err != nil {
					t.Errorf("got %+v, %v", s, err)
				}
				living(t, sup, 0)
			})
		})
	}
}

func TestAStopIsAnsweredByAnErrorOfAnyKind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sup := start(t, treeOf("root", child.Spec{Name: "w", Run: child.Func(func(ctx context.Context) error {
			<-ctx.Done()
			return &child.StartError{Err: ctx.Err()} // what it was about to start for somebody
		})}, worker("other")))
		if err := sup.Ref().TerminateChild(t.Context(), "w"); err != nil {
			t.Error(err)
		}
		if s, err := sup.Find("root/w").Status(); s.State != supervisor.Down || len(s.Deaths) != 0 || err != nil {
			t.Errorf("got %+v, %v", s, err)
		}
		living(t, sup, 0)
	})
}

func TestDecideIsAskedOnlyForARunThatHadStarted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked, runs atomic.Int32
		spec := child.Spec{
			Name: "w", Backoff: noDelay, Ready: child.Readiness{Call: true},
			Decide: func(child.Exit) child.Decision { asked.Add(1); return child.ByType },
			Run: child.Func(func(ctx context.Context) error {
				if runs.Add(1) == 2 {
					return errLife // a start that fails
				}
				child.Ready(ctx)
				if runs.Load() == 1 {
					time.Sleep(time.Second)
					return errLife
				}
				return idle(ctx)
			}),
		}
		sup := start(t, treeOf("root", spec, worker("other")))
		time.Sleep(2 * time.Second)
		_ = sup.Find("root/w").Bounce(t.Context()) // it is told to stop
		if asked.Load() != 1 || runs.Load() != 4 {
			t.Errorf("it was asked %d times in %d runs", asked.Load(), runs.Load())
		}
		living(t, sup, 0)
	})
}
