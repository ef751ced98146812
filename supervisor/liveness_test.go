package supervisor_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
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

// patient is a run that looks at its context and otherwise does what f says
// every second.
func patient(f func(ctx context.Context, second int)) child.Func {
	return func(ctx context.Context) error {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for n := 0; ; n++ {
			f(ctx, n)
			select {
			case <-tick.C:
			case <-ctx.Done():
				return nil
			}
		}
	}
}

// quietly does nothing.
func quietly(context.Context, int) {}

// page is what a logger writes on.
type page struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (p *page) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.buf.Write(b)
}

func (p *page) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.buf.String()
}

// fate is what became of the first run of a child.
type fate struct {
	stopping time.Duration // from when it had started, 0 if it was not told
	exit     child.Exit
	next     supervisor.Next
	again    bool // a second run has started
	log      string
}

// fateOf runs the child alone for that long.
func fateOf(t *testing.T, c child.Spec, long time.Duration) (f fate) {
	t.Helper()
	log := new(page)
	opts := supervisor.Options{Logger: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	c.Name = "w"
	sup, err := opts.Start(t.Context(), supervisor.Spec{Name: "root", Children: []child.Specer{c}})
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(long)
	if err := sup.Stop(context.Background()); err != nil {
		t.Error(err)
	}
	var started time.Time
	for e := range sup.Events(context.Background(), 0) {
		switch {
		case e.Incarnation > 1 || e.Reason == child.ByShutdown:
			f.again = f.again || e.Kind == supervisor.ChildStarted
		case e.Kind == supervisor.ChildStarted:
			started = e.Time
		case e.Kind == supervisor.ChildStopping:
			f.stopping = e.Time.Sub(started)
			if want := "reason=" + e.Reason.String(); !strings.Contains(log.String(), want) {
				t.Errorf("no %s in the log", want)
			}
		case e.Kind == supervisor.ChildExited:
			f.exit, f.next = e.Exit, e.Next
		}
	}
	f.log = log.String()
	time.Sleep(time.Minute) // until what was under way has ended
	synctest.Wait()
	return f
}

func TestARunThatGivesNoSignOfLifeInTimeIsStoppedAndItsExitSaysWhichItWas(t *testing.T) {
	hang := make(chan struct{})
	t.Cleanup(func() { close(hang) })
	answer := func(after int, what func(ctx context.Context) error) func(context.Context) error {
		n := 0
		return func(ctx context.Context) error {
			if n++; n <= after {
				return nil
			}
			return what(ctx)
		}
	}
	no := func(context.Context) error { return errors.New("not now") }
	const s = time.Second
	for name, tt := range map[string]struct {
		run      child.Func
		liveness child.Liveness
		from, to time.Duration // when it is told to stop
		want     string
	}{
		"it never beats": {
			patient(quietly), child.Liveness{Timeout: 8 * s}, 8 * s, 9 * s, "killed (beat): no beat for 8s",
		},
		"it stops beating": {patient(func(ctx context.Context, n int) {
			if n <= 20 {
				child.Beat(ctx)
			}
		}), child.Liveness{Timeout: 8 * s}, 28 * s, 29 * s, "killed (beat): no beat for 8s"},
		"it is deadlocked, and answers with an error": {func(ctx context.Context) error {
			child.Pulse(ctx).Beat()
			select {
			case <-make(chan int):
			case <-ctx.Done():
			}
			return errLife
		}, child.Liveness{Timeout: 800 * time.Millisecond}, s * 8 / 10, s, "killed (beat): no beat for 800ms; then error: life"},
		"its ping says no": {
			patient(quietly), child.Liveness{Ping: answer(0, no)}, s / 4, 2 * s, "killed (ping): not now",
		},
		"its ping says no three times in a row": {
			patient(quietly), child.Liveness{Ping: answer(2, no), Failures: 3}, 8 * s, 10 * s, "killed (ping): not now (3 in a row)",
		},
		"its ping ends with its context": {patient(quietly), child.Liveness{Interval: s, Timeout: 3 * s, Ping: answer(2, func(ctx context.Context) error {
			<-ctx.Done()
			return context.Cause(ctx)
		})}, 5 * s, 6 * s, "killed (ping): no answer within 3s"},
		"its ping panics": {patient(quietly), child.Liveness{Ping: answer(1, func(context.Context) error {
			panic("ouch")
		})}, 2 * s, 4 * s, "killed (ping): panic: ouch"},
		"its ping ends its goroutine": {patient(quietly), child.Liveness{Ping: answer(1, func(context.Context) error {
			runtime.Goexit()
			return nil
		})}, 2 * s, 4 * s, "killed (ping): it ended its goroutine (runtime.Goexit)"},
		"its ping answers too late": {patient(quietly), child.Liveness{Interval: s, Timeout: 2 * s, Ping: answer(1, func(context.Context) error {
			time.Sleep(2*s + 1)
			return nil
		})}, 3 * s, 4*s + s/4, "killed (ping): no answer within 2s"},
		"it answers and does not beat": {
			patient(quietly), child.Liveness{Ping: answer(1<<30, no), Silence: 16 * s}, 16 * s, 17 * s, "killed (beat): no beat for 16s",
		},
		"it beats and does not answer": {
			patient(func(ctx context.Context, _ int) { child.Beat(ctx) }), child.Liveness{Ping: answer(4, no), Silence: 16 * s}, 8 * s, 10 * s, "killed (ping): not now",
		},
		"it runs for too long": {
			patient(quietly), child.Liveness{MaxRun: 10 * s}, 10 * s, 10 * s, "killed (max_run): it ran for as long as it may",
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := fateOf(t, child.Spec{Run: tt.run, Liveness: tt.liveness, Stuck: child.Escalate, Restart: child.Transient}, time.Minute)
				if f.stopping < tt.from || f.stopping > tt.to {
					t.Errorf("it was told after %v, want %v to %v", f.stopping, tt.from, tt.to)
				}
				if f.exit.String() != tt.want || f.exit.Kind != child.KilledByUs {
					t.Errorf("got %v, want %s", f.exit, tt.want)
				}
				if f.next != supervisor.Restarts || !f.again {
					t.Errorf("what follows is %v, and it runs again is %v", f.next, f.again)
				}
			})
		})
	}
}

func TestARunThatGivesSignsOfLifeGoesOn(t *testing.T) {
	const s = time.Second
	failing, late := 0, false
	for name, tt := range map[string]struct {
		run      child.Func
		liveness child.Liveness
	}{
		"it beats":           {patient(func(ctx context.Context, _ int) { child.Beat(ctx) }), child.Liveness{Timeout: s + s/2}},
		"its pulse beats":    {patient(func(ctx context.Context, _ int) { child.Pulse(ctx).Beat() }), child.Liveness{Timeout: s + s/2}},
		"it answers":         {patient(quietly), child.Liveness{Ping: func(context.Context) error { return nil }}},
		"it answers just so": {patient(quietly), child.Liveness{Timeout: s, Ping: func(context.Context) error { time.Sleep(s - 1); return nil }}},
		"it answers in the end": {patient(quietly), child.Liveness{Failures: 3, Ping: func(context.Context) error {
			if failing++; failing%3 != 0 {
				return errLife
			}
			return nil
		}}},
		"every other answer is late": {patient(quietly), child.Liveness{Interval: s, Timeout: s, Failures: 2, Ping: func(context.Context) error {
			if late = !late; late {
				time.Sleep(s + s/2)
			}
			return nil
		}}},
		"it is not too old": {patient(quietly), child.Liveness{MaxRun: 10*time.Minute + 1}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if f := fateOf(t, child.Spec{Run: tt.run, Liveness: tt.liveness, Stuck: child.Abandon}, 10*time.Minute); f.stopping != 0 {
					t.Errorf("it was told after %v: %v", f.stopping, f.exit)
				}
			})
		})
	}
}

func TestNoRunIsTakenForDeadTooEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		spec := supervisor.Spec{Name: "root", Template: func(any) child.Spec {
			return child.Spec{Run: child.Func(idle), Restart: child.Temporary, Stuck: child.Escalate, Liveness: child.Liveness{Timeout: 8 * time.Second}}
		}}
		sup := start(t, spec)
		for range 20 {
			if _, err := sup.Ref().StartChild(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			time.Sleep(300 * time.Millisecond)
		}
		time.Sleep(time.Minute)
		_ = sup.Stop(context.Background())
		started := map[string]time.Duration{}
		for e := range sup.Events(context.Background(), 0) {
			switch at := e.Time.Sub(began); {
			case e.Kind == supervisor.ChildStarted:
				started[e.Path] = at
			case e.Kind == supervisor.ChildStopping && (at < started[e.Path]+8*time.Second || at > started[e.Path]+9*time.Second):
				t.Errorf("%s was started at %v and stopped at %v", e.Path, started[e.Path], at)
			}
		}
		if len(started) != 20 {
			t.Errorf("%d were started", len(started))
		}
	})
}

func TestTheRunSeesWhyItIsToldToStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var why child.Reason
		var cause error
		fateOf(t, child.Spec{Stuck: child.Escalate, Liveness: child.Liveness{Timeout: time.Second}, Restart: child.Temporary, Run: child.Func(func(ctx context.Context) error {
			<-ctx.Done()
			why, cause = child.StopReason(ctx), context.Cause(ctx)
			return nil
		})}, time.Minute)
		if why != child.ByBeat || cause.Error() != "coppice: no beat for 1s" {
			t.Errorf("got %v, %v", why, cause)
		}
	})
}

func TestARunThatSpinsIsFoundAndItsStuckSaysWhatFollows(t *testing.T) {
	t.Parallel()
	for _, stuck := range []child.Stuck{child.Escalate, child.Abandon} {
		t.Run(stuck.String(), func(t *testing.T) {
			t.Parallel()
			var stop atomic.Bool
			runs := make(chan uint64, 100)
			sup, err := quiet.Start(t.Context(), supervisor.Spec{Name: "root", Children: []child.Specer{child.Spec{
				Name: "spins", Stuck: stuck, Shutdown: time.Millisecond, Liveness: child.Liveness{Timeout: 80 * time.Millisecond},
				Run: child.Fresh(func() child.Service {
					return child.Func(func(ctx context.Context) error {
						runs <- child.Incarnation(ctx)
						if child.Incarnation(ctx) > 1 {
							return idle(ctx)
						}
						for !stop.Load() {
						}
						return nil
					})
				}),
			}}})
			if err != nil {
				t.Fatal(err)
			}
			defer stop.Store(true)
			if n := <-runs; n != 1 {
				t.Fatalf("run %d", n)
			}
			if stuck == child.Abandon {
				if n := <-runs; n != 2 {
					t.Errorf("run %d follows", n)
				}
				stop.Store(true)
				if status := sup.Snapshot().Root.Children[0]; len(status.Deaths) == 0 || status.Last().Exit.String() != "killed (beat): no beat for 80ms" {
					t.Errorf("got %v", status.Deaths)
				}
				if err := sup.Stop(t.Context()); err != nil {
					t.Error(err)
				}
				return
			}
			var gaveUp *supervisor.ExitError
			if err := sup.Wait(); !errors.As(err, &gaveUp) || gaveUp.Cause != supervisor.GaveUp || !strings.Contains(gaveUp.Error(), "killed (beat): no beat for 80ms") {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestNoChildIsAskedTwiceAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release, asked := make(chan struct{}), new(atomic.Int32)
		f := fateOf(t, child.Spec{Stuck: child.Escalate, Run: patient(quietly), Liveness: child.Liveness{
			Interval: time.Second, Timeout: 2 * time.Second, Failures: 2,
			Ping: func(context.Context) error { asked.Add(1); <-release; return nil },
		}}, time.Minute)
		if asked.Load() != 1 {
			t.Errorf("%d were under way", asked.Load())
		}
		if want := "killed (ping): no answer within 2s (2 in a row)"; f.exit.String() != want || f.stopping < 4*time.Second || f.stopping > 6*time.Second {
			t.Errorf("got %v after %v, want %s", f.exit, f.stopping, want)
		}
		close(release)
	})
}

func TestAPingThatDoesNotReturnIsNotAskedOfTheNextRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release, asked := make(chan struct{}), new(atomic.Int32)
		sup := start(t, supervisor.Spec{Name: "root", Backoff: noDelay, Intensity: strategies.Intensity{Restarts: strategies.Unlimited}, Children: []child.Specer{child.Spec{
			Name: "w", Stuck: child.Escalate, Run: child.Func(idle), Liveness: child.Liveness{
				Interval: time.Second, Timeout: 2 * time.Second,
				Ping: func(context.Context) error {
					if asked.Add(1) == 1 {
						<-release
					}
					return nil
				},
			},
		}}})
		time.Sleep(20 * time.Second)
		s, _ := sup.Find("root/w").Status()
		if want := "killed (ping): the ping of an earlier run has not returned"; asked.Load() != 1 || s.Incarnation < 3 || s.Last().Exit.String() != want {
			t.Errorf("asked %d times; #%d, the last one %v", asked.Load(), s.Incarnation, s.Last().Exit)
		}
		close(release)
		synctest.Wait()
		restarts := s.Restarts
		time.Sleep(time.Minute)
		if s, _ := sup.Find("root/w").Status(); asked.Load() < 50 || s.Restarts != restarts || s.Vitals.Failures != 0 {
			t.Errorf("asked %d times, then %d restarts more, %+v", asked.Load(), s.Restarts-restarts, s.Vitals)
		}
		_ = sup.Stop(context.Background())
	})
}

func TestALateVerdictUponAnEarlierRunDoesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fail := make(chan struct{})
		asked, answer := make(chan struct{}), make(chan struct{})
		sup := start(t, supervisor.Spec{Name: "root", Backoff: noDelay, Children: []child.Specer{child.Spec{
			Name: "w", Stuck: child.Escalate, Run: child.Func(func(ctx context.Context) error {
				select {
				case <-fail:
					return errLife
				case <-ctx.Done():
					return nil
				}
			}),
			Liveness: child.Liveness{Ping: func(ctx context.Context) error {
				if child.Incarnation(ctx) == 1 {
					close(asked)
					<-answer
					return errLife
				}
				return nil
			}},
		}}})
		<-asked
		fail <- struct{}{}
		synctest.Wait()
		close(answer)
		time.Sleep(time.Minute)
		if s, _ := sup.Find("root/w").Status(); s.Incarnation != 2 || s.State != supervisor.Running || s.Vitals.Failures != 0 {
			t.Errorf("got %+v", s)
		}
		_ = sup.Stop(context.Background())
	})
}

func TestASnapshotShowsSignsOfLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var failing atomic.Bool
		sup := start(t, supervisor.Spec{Name: "root", Children: []child.Specer{
			child.Spec{Name: "unwatched", Run: child.Func(idle)},
			child.Spec{Name: "beats", Stuck: child.Abandon, Liveness: child.Liveness{Timeout: 8 * time.Second}, Run: patient(func(ctx context.Context, n int) {
				child.Beat(ctx)
			})},
			child.Spec{Name: "answers", Stuck: child.Abandon, Run: child.Func(idle), Liveness: child.Liveness{Failures: 9, Ping: func(context.Context) error {
				time.Sleep(5 * time.Millisecond)
				if failing.Load() {
					return errLife
				}
				return nil
			}}},
		}})
		began := time.Now()
		synctest.Wait()
		if v := sup.Snapshot().Root.Children[1].Vitals; v == nil || !v.LastSign.Equal(began) {
			t.Errorf("at first: %+v", v)
		}
		time.Sleep(time.Minute + time.Second/2)
		all := sup.Snapshot().Root.Children
		if all[0].Vitals != nil {
			t.Errorf("unwatched: %+v", all[0].Vitals)
		}
		if v := all[1].Vitals; v == nil || time.Since(v.LastSign) > 2*time.Second || *v != (supervisor.Vitals{LastSign: v.LastSign}) {
			t.Errorf("beats: %+v", v)
		}
		if v := all[2].Vitals; v == nil || time.Since(v.LastSign) > 3*time.Second || v.Ping != 5*time.Millisecond || v.Failures != 0 || v.Failure != "" {
			t.Errorf("answers: %+v", v)
		}
		failing.Store(true)
		time.Sleep(4 * time.Second)
		if v := sup.Snapshot().Root.Children[2].Vitals; v == nil || v.Failures != 2 || v.Failure != "life" || v.Ping != 5*time.Millisecond {
			t.Errorf("answers no more: %+v", v)
		}
		_ = sup.Stop(context.Background())
	})
}

func TestTheContextOfAPingEndsWithItsTimeAndWithTheRun(t *testing.T) {
	type key struct{}
	synctest.Test(t, func(t *testing.T) {
		var ends []string
		var n atomic.Int32
		sup, err := quiet.Start(context.WithValue(t.Context(), key{}, "value"), supervisor.Spec{Name: "root", Children: []child.Specer{child.Spec{
			Name: "w", Stuck: child.Escalate, Run: child.Func(idle),
			Liveness: child.Liveness{Interval: 10 * time.Second, Timeout: 3 * time.Second, Failures: 9, Ping: func(ctx context.Context) error {
				began := time.Now()
				if d, ok := ctx.Deadline(); !ok || d.Sub(began) != 3*time.Second {
					t.Errorf("the deadline is %v", d)
				}
				if ctx.Value(key{}) != "value" || child.Path(ctx) != "root/w" || ctx.Err() != nil || context.Cause(ctx) != nil {
					t.Errorf("got %v, %q, %v", ctx.Value(key{}), child.Path(ctx), ctx.Err())
				}
				sub, cancel := ctx, context.CancelFunc(func() {})
				if n.Add(1) != 2 {
					sub, cancel = context.WithCancel(ctx)
				}
				defer cancel()
				<-sub.Done()
				if ctx.Value(key{}) != "value" || child.Incarnation(sub) != 1 {
					t.Error("the values have gone")
				}
				ends = append(ends, fmt.Sprint(time.Since(began), " ", ctx.Err(), ", ", context.Cause(sub), ", ", child.StopReason(sub)))
				return sub.Err()
			}},
		}}})
		if err != nil {
			t.Fatal(err)
		}
		for n.Load() < 3 {
			time.Sleep(time.Second)
			synctest.Wait()
		}
		_ = sup.Stop(context.Background())
		synctest.Wait()
		want := []string{
			"3s context deadline exceeded, coppice: the time for the answer is over, ",
			"3s context deadline exceeded, coppice: the time for the answer is over, ",
			"0s context canceled, coppice: the supervisor stops, shutdown",
		}
		if len(ends) != len(want) {
			t.Fatalf("got %q", ends)
		}
		for i := range want {
			if ends[i] != want[i] {
				t.Errorf("ping %d: got %q, want %q", i, ends[i], want[i])
			}
		}
	})
}
