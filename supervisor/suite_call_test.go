package supervisor_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/supervisor"
)

func TestWhatCallsAnswer(t *testing.T) {
	playScenes(t, map[string]scene{
		"the life of a child": {sup: "0/1h", kids: "a", text: `
			start       => +a up
			count       => 1 1 0 1
			start a     => already_started
			restart a   => running
			delete a    => running
			terminate a => -a ok
			terminate a => ok
			count       => 1 0 0 1
			start a     => already_present
			restart a   => +a ok
			restart a   => running
			terminate a => -a ok
			delete a    => ok
			count       => 0 0 0 0
			restart a   => not_found
			delete a    => not_found
			terminate a => not_found
			start a     => +a ok
			start b     => +b ok
			== a running, b running
			count       => 2 2 0 2`},
		"who is where": {kids: "a; s", inner: map[string]scene{"s": {kids: "b"}}, text: `
			start         => +a +s/b up
			start c       => +c ok
			== a running, s running, s/b running, c running
			terminate s   => -s/b ok
			== a running, s down, c running
			delete s      => ok
			== a running, c running
			terminate a   => -a ok
			== a down, c running
			count         => 2 1 0 2`},
		"of a temporary child nothing is left": {kids: "a; b temporary; c", text: `
			start       => +a +b +c up
			terminate b => -b ok
			terminate b => not_found
			delete b    => not_found
			== a running, c running`},
	})
}

// The name of a child that has ended is free, or is not, as its type says.
func TestWhoseNameIsFreeAgain(t *testing.T) {
	for _, strategy := range []string{"one_for_one", "one_for_all", "rest_for_one"} {
		for how, want := range map[string]map[string]string{ // the end of a, and the answer to start_child
			"a panics    => ": {"permanent": "+a\nstart a => already_started", "transient": "+a\nstart a => already_started", "temporary": "\nstart a => +a ok"},
			"a fails     => ": {"permanent": "+a\nstart a => already_started", "transient": "+a\nstart a => already_started", "temporary": "\nstart a => +a ok"},
			"a ends      => ": {"permanent": "+a\nstart a => already_started", "transient": "\nstart a => already_present", "temporary": "\nstart a => +a ok"},
			"terminate a => ": {"permanent": "-a ok\nstart a => already_present", "transient": "-a ok\nstart a => already_present", "temporary": "-a ok\nstart a => +a ok"},
		} {
			for restart, answer := range want {
				t.Run(strategy+", "+restart+", "+how[:9], func(t *testing.T) {
					word := restart
					if word == "permanent" {
						word = ""
					}
					synctest.Test(t, scene{sup: strategy, kids: "a " + word, text: "start => +a up\n" + how + answer}.play)
				})
			}
		}
	}
}

// A child that ends by itself while it is being terminated is not restarted,
// and is reported if it failed.
func TestADeathDuringATerminateIsNoFailure(t *testing.T) {
	exits := map[string]string{"ends": "", "fails": "error: life", "panics": "panic: life", "goexits": "its goroutine ended (runtime.Goexit)"}
	for restart, left := range map[string][2]string{
		"": {"b running, a down", "stays"}, "transient": {"b running, a down", "stays"}, "temporary": {"b running", "goes"},
	} {
		for how, exit := range exits {
			log := "none"
			if exit != "" {
				log = `level=WARN msg="child exited" path=a exit="` + exit + `" next=` + left[1] + ` reason=call`
			}
			t.Run(restart+" "+how, func(t *testing.T) {
				synctest.Test(t, scene{sup: "0/1h one_for_all", kids: "b; a slow " + restart, log: log, text: `
					start       => +b +a up
					terminate a => -a
					a ` + how + ` => terminate:a=ok
					after 1h    =>
					== ` + left[0]}.play)
			})
		}
	}
}

func TestADeathBeforeATerminateIsAFailure(t *testing.T) {
	playScenes(t, map[string]scene{
		"the new run is stopped": {sup: "1/1h", kids: "a; b", text: `
			start       => +a +b up
			a fails     => +a
			terminate a => -a ok
			== a down, b running
			b fails     => over:gave_up:b`},
	})
}

func TestATerminateTouchesNoSibling(t *testing.T) {
	for _, strategy := range []string{"one_for_one", "one_for_all", "rest_for_one"} {
		t.Run(strategy, func(t *testing.T) {
			synctest.Test(t, scene{sup: "0/1h " + strategy, kids: "a; b; c", text: `
				start       => +a +b +c up
				terminate b => -b ok
				== a running, b down, c running
				restart b   => +b ok
				after 1h    =>`}.play)
		})
	}
}

func TestCallsWhenNobodyIsThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		sup, err := quiet.New(one("a", idle))
		if err != nil {
			t.Fatal(err)
		}
		ask := func(when string) {
			ref := sup.Ref()
			_, started := ref.StartChild(ctx, child.Spec{Name: "b", Run: child.Func(idle)})
			for call, err := range map[string]error{
				"start_child": started, "terminate_child": ref.TerminateChild(ctx, "a"), "delete_child": ref.DeleteChild(ctx, "a"),
				"restart_child": ref.RestartChild(ctx, "a"), "restart_all": ref.RestartAll(ctx), "bounce": ref.Child("a").Bounce(ctx),
			} {
				if !errors.Is(err, supervisor.ErrStopped) {
					t.Errorf("%s: %s: got %v", when, call, err)
				}
			}
		}
		ask("before")
		go func() { _ = sup.Serve(ctx) }()
		synctest.Wait()
		if err := sup.Stop(ctx); err != nil {
			t.Error(err)
		}
		ask("afterwards")
	})
}

func TestAFailedCallTellsWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		for name, template := range map[string]func(any) child.Spec{
			"static": nil, "dynamic": func(spec any) child.Spec { return spec.(child.Spec) },
		} {
			sup := start(t, supervisor.Spec{Name: "root", Intensity: never, Template: template})
			var run func(context.Context) error
			spec := child.Spec{Name: "a", Ready: child.Readiness{Call: true}, Run: child.Func(func(ctx context.Context) error { return run(ctx) })}

			run = func(context.Context) error { return errLife }
			_, err := sup.Ref().StartChild(ctx, spec)
			var exit child.Exit
			if !errors.Is(err, supervisor.ErrStartFailed) || !errors.Is(err, errLife) || !errors.As(err, &exit) || exit.Kind != child.StartFailed {
				t.Errorf("%s: start_child: got %v", name, err)
			}
			if children, err := sup.Ref().Children(); err != nil || len(children) != 0 {
				t.Errorf("%s: it was kept: %+v, %v", name, children, err)
			}
			if template != nil {
				_ = sup.Stop(ctx)
				continue
			}
			run = func(ctx context.Context) error { child.Ready(ctx); return idle(ctx) }
			if _, err := sup.Ref().StartChild(ctx, spec); err != nil {
				t.Error(err)
			}
			run = func(context.Context) error { panic(errLife) }
			err = errors.Join(sup.Ref().TerminateChild(ctx, "a"), sup.Ref().RestartChild(ctx, "a"))
			var panicked *child.PanicError
			if !errors.Is(err, supervisor.ErrStartFailed) || !errors.As(err, &panicked) || !errors.Is(err, errLife) {
				t.Errorf("restart_child: got %v", err)
			}
			if s, err := sup.Find("root/a").Status(); err != nil || s.State != supervisor.Down {
				t.Errorf("after that: %+v, %v", s, err)
			}
			_ = sup.Stop(ctx)
		}
	})
}

// The failure of a start tells its cause from however deep down.
func TestAFailedStartTellsWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var nothing func()
		spec := one("good", idle, supervisor.Spec{Name: "inner", Children: []child.Specer{
			child.Spec{Name: "bad", Ready: child.Readiness{Call: true}, Run: child.Func(func(context.Context) error { nothing(); return nil })},
		}})
		_, err := quiet.Start(context.Background(), spec)
		var exit *supervisor.ExitError
		var panicked *child.PanicError
		switch {
		case !errors.As(err, &exit) || exit.Cause != supervisor.InitFailed || exit.Child != "root/inner":
			t.Errorf("got %v", err)
		case !errors.As(exit.Exit.Err, &exit) || exit.Cause != supervisor.InitFailed || exit.Child != "root/inner/bad":
			t.Errorf("inside: got %v", exit.Exit.Err)
		case !errors.As(err, &panicked) || panicked.Stack() == "":
			t.Errorf("got %v, and no stack", err)
		}
	})
}

// A child whose end has not been judged yet does not count as active.
func TestADeathThatIsNotJudgedYetIsNotActive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ready := make(chan struct{})
		sup, err := quiet.New(supervisor.Spec{Name: "root", Backoff: noDelay, Children: []child.Specer{
			child.Spec{Name: "a", Run: child.Func(func(ctx context.Context) error {
				if child.Incarnation(ctx) == 1 {
					return errLife
				}
				return idle(ctx)
			})},
			child.Spec{Name: "b", Ready: child.Readiness{Call: true}, Run: child.Func(func(ctx context.Context) error {
				<-ready
				child.Ready(ctx)
				return idle(ctx)
			})},
			child.Spec{Name: "c", Run: child.Func(idle)},
		}})
		if err != nil {
			t.Fatal(err)
		}
		go func() { _ = sup.Serve(context.Background()) }()
		for _, want := range []supervisor.Count{{Specs: 3, Active: 1, Workers: 3}, {Specs: 3, Active: 3, Workers: 3}} {
			synctest.Wait()
			if n, err := sup.Ref().Count(); err != nil || n != want {
				t.Errorf("got %+v, %v, want %+v", n, err, want)
			}
			if want.Active == 1 {
				close(ready)
			}
		}
		_ = sup.Stop(context.Background())
	})
}

// Whoever gives up waiting for a stop does not end it.
func TestAStopGoesOnWithoutItsCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		finished := false
		sup := start(t, one("busy", func(ctx context.Context) error {
			<-ctx.Done()
			time.Sleep(time.Second)
			finished = true
			return nil
		}))
		ctx, cancel := context.WithCancelCause(context.Background())
		time.AfterFunc(100*time.Millisecond, func() { cancel(errLife) })
		began := time.Now()
		if err := sup.Stop(ctx); !errors.Is(err, errLife) || time.Since(began) != 100*time.Millisecond {
			t.Errorf("Stop: got %v after %v", err, time.Since(began))
		}
		if err := sup.Wait(); err != nil || !finished || time.Since(began) != time.Second {
			t.Errorf("Wait: got %v after %v; finished: %t", err, time.Since(began), finished)
		}
	})
}

// The end of the context is an orderly stop whatever it ended with, and no
// failure.
func TestWhyTheContextEndedMeansNothing(t *testing.T) {
	for name, cause := range map[string]error{"no reason": nil, "a failure": errLife} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var stopped []string
				told := func(ctx context.Context) error {
					<-ctx.Done()
					stopped = append(stopped, last(child.Path(ctx)))
					return context.Cause(ctx)
				}
				ctx, cancel := context.WithCancelCause(context.Background())
				sup, err := quiet.Start(ctx, one("a", told, child.Spec{Name: "b", Run: child.Func(told)}))
				if err != nil {
					t.Fatal(err)
				}
				cancel(cause)
				if err := sup.Wait(); err != nil || len(stopped) != 2 || stopped[0] != "b" {
					t.Errorf("got %v after the stops %v", err, stopped)
				}
			})
		})
	}
}

func TestTheSpecOfAChildThatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		spec := child.Spec{Name: "a", Run: child.Func(func(context.Context) error { return errLife })}
		sup := start(t, supervisor.Spec{Name: "root", Children: []child.Specer{spec}})
		synctest.Wait()
		ref := sup.Find("root/a")
		if s, err := ref.Status(); err != nil || s.State != supervisor.Restarting {
			t.Errorf("got %+v, %v", s, err)
		}
		if got, err := ref.Spec(); err != nil || !got.Equal(spec) {
			t.Errorf("got %v, %v", got, err)
		}
		_ = sup.Stop(context.Background())
	})
}
