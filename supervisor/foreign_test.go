package supervisor_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/strategies"
	"github.com/coppice-go/coppice/supervisor"
	"github.com/thejerf/suture/v4"
)

// sutureTree is a real suture supervisor that restarts at once.
func sutureTree(services ...suture.Service) *suture.Supervisor {
	s := suture.New("suture", suture.Spec{EventHook: func(suture.Event) {}, FailureThreshold: 1e9})
	for _, service := range services {
		s.Add(service)
	}
	return s
}

var never = strategies.Intensity{Period: time.Hour} // allows no restart

func TestASutureTreeRestartsACoppiceTreeThatGaveUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var runs atomic.Int32
		var last atomic.Uint64
		spec := one("worker", func(ctx context.Context) error {
			last.Store(child.Incarnation(ctx))
			if runs.Add(1) < 3 {
				return errLife
			}
			return idle(ctx)
		})
		spec.Intensity, spec.Backoff = never, noDelay
		sup, err := quiet.New(spec)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		done := sutureTree(sup).ServeBackground(ctx)
		time.Sleep(time.Second)
		if got := runs.Load(); got != 3 || last.Load() != 3 {
			t.Errorf("got %d runs, the last being #%d", got, last.Load())
		}
		cancel()
		<-done
		if err := sup.Wait(); err != nil {
			t.Error(err)
		}
	})
}

func TestSuturesErrorsMeanWhatSutureSays(t *testing.T) {
	cases := map[string]struct {
		err  error
		ends bool // the tree ends
		is   error
	}{
		"never again":          {err: suture.ErrDoNotRestart},
		"never again, wrapped": {err: fmt.Errorf("done: %w", suture.ErrDoNotRestart)},
		"end the tree":         {err: suture.ErrTerminateSupervisorTree, ends: true, is: suture.ErrTerminateSupervisorTree},
		"end the tree, joined": {err: errors.Join(errLife, suture.ErrTerminateSupervisorTree), ends: true, is: suture.ErrTerminateSupervisorTree},
	}
	for name, tt := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var runs atomic.Int32
				inner := supervisor.Spec{Name: "inner", Children: []child.Specer{child.Spec{
					Name: "worker", Run: child.Func(func(context.Context) error { runs.Add(1); return tt.err }),
				}}}
				sup := start(t, supervisor.Spec{Name: "root", Children: []child.Specer{inner}})
				time.Sleep(time.Hour)
				synctest.Wait()
				if runs.Load() != 1 {
					t.Errorf("got %d runs", runs.Load())
				}
				select {
				case <-sup.Done():
					if err := sup.Wait(); !tt.ends || !errors.Is(err, tt.is) {
						t.Errorf("the tree ended with %v", err)
					}
				default:
					if tt.ends {
						t.Error("the tree lives")
					}
					if n, err := sup.Find("root/inner").Count(); err != nil || n.Specs != 0 {
						t.Errorf("the child has kept its place: %+v, %v", n, err)
					}
					_ = sup.Stop(context.Background())
				}
			})
		})
	}
}

func TestACoppiceTreesErrorNeverEndsMoreOfSutureThanItShould(t *testing.T) {
	escalate := func(child.Exit) child.Decision { return child.EscalateIt }
	cases := map[string]child.Spec{
		"a panic with suture's error": {Run: child.Func(func(context.Context) error { panic(suture.ErrTerminateSupervisorTree) })},
		"a panic with the other":      {Run: child.Func(func(context.Context) error { panic(suture.ErrDoNotRestart) })},
		"somebody else's cancel":      {Run: child.Func(func(context.Context) error { return context.Canceled })},
		"an escalated error":          {Run: child.Func(func(context.Context) error { return errLife }), Decide: escalate},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c.Name = "worker"
				sup, err := quiet.New(supervisor.Spec{Name: "root", Intensity: never, Backoff: noDelay, Children: []child.Specer{c}})
				if err != nil {
					t.Fatal(err)
				}
				var serves, sibling atomic.Int32
				counted := child.Func(func(ctx context.Context) error {
					if serves.Add(1) > 3 {
						return idle(ctx)
					}
					return sup.Serve(ctx)
				})
				beside := child.Func(func(ctx context.Context) error { sibling.Add(1); return idle(ctx) })
				ctx, cancel := context.WithCancel(context.Background())
				done := sutureTree(counted, beside).ServeBackground(ctx)
				time.Sleep(time.Second)
				if serves.Load() != 4 || sibling.Load() != 1 {
					t.Errorf("got %d serves, and %d of the sibling", serves.Load(), sibling.Load())
				}
				cancel()
				<-done
			})
		})
	}
}

func TestWhatServeTellsAForeignParent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		serve := func(spec supervisor.Spec, then func(*supervisor.Supervisor, context.CancelFunc)) error {
			sup, err := quiet.New(spec)
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			answer := make(chan error, 1)
			go func() { answer <- sup.Serve(ctx) }()
			synctest.Wait()
			if err := sup.Serve(ctx); spec.Name == "stop" && !errors.Is(err, supervisor.ErrServing) {
				t.Errorf("a second Serve: got %v", err)
			}
			then(sup, cancel)
			return <-answer
		}
		worker := child.Spec{Name: "w", Run: child.Func(idle)}
		if err := serve(supervisor.Spec{Name: "stop", Children: []child.Specer{worker}}, func(s *supervisor.Supervisor, _ context.CancelFunc) {
			_ = s.Stop(context.Background())
		}); !errors.Is(err, suture.ErrDoNotRestart) {
			t.Errorf("after Stop: got %v", err)
		}
		job := child.Spec{Name: "w", Restart: child.Transient, Significant: true, Run: child.Func(func(context.Context) error { time.Sleep(time.Second); return nil })}
		if err := serve(supervisor.Spec{Name: "auto", AutoShutdown: supervisor.AnySignificant, Children: []child.Specer{job}},
			func(*supervisor.Supervisor, context.CancelFunc) { time.Sleep(2 * time.Second) }); !errors.Is(err, suture.ErrDoNotRestart) {
			t.Errorf("after an automatic shutdown: got %v", err)
		}
	})
}

func TestASutureSupervisorIsAChildThroughFresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var runs atomic.Int32
		whole := child.Fresh(func() child.Service {
			return sutureTree(child.Func(func(ctx context.Context) error { runs.Add(1); return idle(ctx) }))
		})
		sup := start(t, supervisor.Spec{Name: "root", Children: []child.Specer{child.Spec{Name: "suture", Run: whole}}})
		synctest.Wait()
		if err := sup.Find("root/suture").Bounce(context.Background()); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if runs.Load() != 2 {
			t.Errorf("got %d runs", runs.Load())
		}
		if err := sup.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
}
