package supervisortest_test

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/strategies"
	"github.com/coppice-go/coppice/supervisor"
	. "github.com/coppice-go/coppice/supervisor/supervisortest"
)

var (
	quiet     = supervisor.Options{Logger: slog.New(slog.DiscardHandler)}
	errReader = errors.New("no line")
)

const reader = "shop/ingest/reader"

func idle(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

// fails is a service whose first n runs fail, each after it has lived for a
// while.
func fails(n int32, after time.Duration) child.Func {
	var runs atomic.Int32
	return func(ctx context.Context) error {
		if runs.Add(1) > n {
			return idle(ctx)
		}
		time.Sleep(after)
		return errReader
	}
}

// shop is a tree with a supervisor in it that has one child, the reader.
func shop(run child.Func) supervisor.Spec {
	return supervisor.Spec{Name: "shop", Children: []child.Specer{
		supervisor.Spec{Name: "ingest", Children: []child.Specer{child.Spec{Name: "reader", Run: run}}},
	}}
}

// bubble runs a test of a tree under virtual time, and stops the tree.
func bubble(t *testing.T, spec supervisor.Spec, test func(t *testing.T, sup *supervisor.Supervisor)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		sup, err := quiet.Start(context.Background(), spec)
		if err != nil {
			t.Fatal(err)
		}
		test(t, sup)
		if err := sup.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

func want(t *testing.T, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestNothingIsMissedEventsThatCameBeforeTheWatcherWasMadeAreMet(t *testing.T) {
	bubble(t, shop(fails(1, time.Millisecond)), func(t *testing.T, sup *supervisor.Supervisor) {
		time.Sleep(time.Minute)
		seq := sup.Snapshot().Seq
		w := Watch(t.Context(), sup)
		want(t, w.ExpectExactly(
			Starting("shop/ingest"), Started(reader), Started("shop/ingest"),
			Exited(reader, child.Failed), Restarted(reader),
		), nil)
		want(t, WatchAfter(t.Context(), sup, seq-1).ExpectExactly(Restarted(reader)), nil)
		want(t, WatchAfter(t.Context(), sup, seq).ExpectExactly(), nil)
	})
}

func TestATreeThatHasNotStartedYetCanBeWatched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sup, err := quiet.New(shop(idle))
		if err != nil {
			t.Fatal(err)
		}
		w := Watch(t.Context(), sup)
		want(t, w.ExpectExactly(), nil)
		ctx, cancel := context.WithCancel(context.Background())
		time.AfterFunc(time.Second, func() { _ = sup.Serve(ctx) })
		want(t, w.ExpectExactly(Starting("shop/ingest"), Started(reader), Started("shop/ingest")), nil)
		cancel()
		want(t, w.Expect(Terminated("shop/ingest")), nil)
		want(t, sup.Wait(), nil)
		go func() { _ = sup.Serve(context.Background()) }()
		synctest.Wait()
		want(t, w.Expect(Restarted(reader)), nil) // a second life of the same tree
		want(t, sup.Stop(context.Background()), nil)
	})
}

func TestExpectTakesTheEventsInOrderAndLetsOthersLieBetween(t *testing.T) {
	bubble(t, shop(fails(2, time.Millisecond)), func(t *testing.T, sup *supervisor.Supervisor) {
		w := Watch(t.Context(), sup)
		want(t, w.Expect(Started(reader), Restarted(reader), Restarted(reader)), nil)
		w = Watch(t.Context(), sup)
		want(t, w.Expect(Started("shop/ingest"), Starting("shop/ingest")), ErrTimeout)
		want(t, w.Expect(), nil)
	})
}

func TestExpectExactlyTakesNoOtherEvent(t *testing.T) {
	bubble(t, shop(idle), func(t *testing.T, sup *supervisor.Supervisor) {
		cases := map[string]struct {
			want []Matcher
			err  error
		}{
			"these":             {[]Matcher{Starting("shop/ingest"), Started(reader), Started("shop/ingest")}, nil},
			"one is missing":    {[]Matcher{Starting("shop/ingest"), Started("shop/ingest")}, ErrUnexpected},
			"one comes after":   {[]Matcher{Starting("shop/ingest"), Started(reader)}, ErrUnexpected},
			"in another order":  {[]Matcher{Started(reader), Starting("shop/ingest"), Started("shop/ingest")}, ErrUnexpected},
			"one does not come": {[]Matcher{{}, {}, {}, Exited(reader, child.Normal)}, ErrTimeout},
			"none":              {nil, ErrUnexpected},
		}
		for name, tt := range cases {
			w := Watch(t.Context(), sup)
			if err := w.ExpectExactly(tt.want...); !errors.Is(err, tt.err) {
				t.Errorf("%s: got %v, want %v", name, err, tt.err)
			}
		}
		w := Watch(t.Context(), sup)
		w.Only = Kind(supervisor.ChildStarted)
		want(t, w.ExpectExactly(Started(reader), Started("shop/ingest")), nil)
		w = Watch(t.Context(), sup)
		w.Quiet = time.Minute
		time.AfterFunc(time.Second, func() { _ = sup.Find(reader).Bounce(context.Background()) })
		want(t, w.ExpectExactly(Matcher{}, Matcher{}, Matcher{}), ErrUnexpected)
	})
}

func TestACallGoesOnBehindWhatTheCallBeforeHasMet(t *testing.T) {
	bubble(t, shop(fails(1, time.Millisecond)), func(t *testing.T, sup *supervisor.Supervisor) {
		w := Watch(t.Context(), sup)
		want(t, w.Expect(Started(reader)), nil)
		want(t, w.Expect(Started(reader).And(Incarnation(1))), ErrTimeout)
		want(t, w.ExpectExactly(Started("shop/ingest"), Exited(reader, child.Failed), Restarted(reader)), nil)
		want(t, w.ExpectExactly(), nil)
		want(t, sup.Find(reader).Bounce(t.Context()), nil)
		w.Skip()
		want(t, w.ExpectExactly(), nil)
	})
}

func TestACallThatFailsHasTakenNothing(t *testing.T) {
	bubble(t, shop(idle), func(t *testing.T, sup *supervisor.Supervisor) {
		w := Watch(t.Context(), sup)
		want(t, w.Expect(Started(reader), Exited(reader, child.Failed)), ErrTimeout)
		want(t, w.ExpectExactly(Starting("shop/ingest"), Started(reader)), ErrUnexpected)
		want(t, w.ExpectExactly(Starting("shop/ingest"), Started(reader), Started("shop/ingest")), nil)
	})
}

func TestNoCallWaitsLongerThanItsTimeout(t *testing.T) {
	noise := shop(func(context.Context) error { time.Sleep(time.Second); return errReader })
	noise.Children = append(noise.Children, supervisor.Spec{
		Name: "noise", Intensity: strategies.Intensity{Restarts: strategies.Unlimited},
		Children: []child.Specer{child.Spec{Name: "clock", Run: child.Func(func(context.Context) error {
			time.Sleep(2 * time.Second) // beyond the threshold, so that it is restarted at once
			return errReader
		})}},
	})
	bubble(t, noise, func(t *testing.T, sup *supervisor.Supervisor) {
		began := time.Now()
		w := Watch(t.Context(), sup)
		want(t, w.Expect(Killed(reader)), ErrTimeout)
		if took := time.Since(began); took != DefaultTimeout {
			t.Errorf("it took %v", took)
		}
		began = time.Now()
		w.Timeout = time.Hour
		want(t, w.Expect(Started(reader), Killed(reader)), ErrTimeout)
		if took := time.Since(began); took != time.Hour {
			t.Errorf("it took %v", took)
		}
		ctx, cancel := context.WithTimeoutCause(context.Background(), time.Second, errReader)
		defer cancel()
		want(t, WatchAfter(ctx, sup, sup.Snapshot().Seq).Expect(Killed(reader)), errReader)
	})
	bubble(t, noise, func(t *testing.T, sup *supervisor.Supervisor) {
		began := time.Now()
		for _, only := range []Matcher{{}, Kind(supervisor.ChildKilled)} {
			w := WatchAfter(t.Context(), sup, sup.Snapshot().Seq)
			w.Timeout, w.Only, w.Quiet = 1000*time.Hour, only, 1000*time.Hour
			want(t, w.Expect(Killed(reader)), ErrTooMany)
			w.Only = Kind(supervisor.ChildKilled)
			w.Skip()
			want(t, w.ExpectExactly(), nil)
		}
		if took := time.Since(began); took > 500*time.Hour {
			t.Errorf("it took %v", took)
		}
	})
	spin := shop(func(context.Context) error { return errReader })
	spin.Children = []child.Specer{supervisor.Spec{
		Name: "ingest", Intensity: strategies.Intensity{Restarts: strategies.Unlimited},
		Backoff: strategies.Backoff{Min: strategies.None}, Children: []child.Specer{
			child.Spec{Name: "reader", Run: child.Func(func(context.Context) error { return errReader })},
		},
	}}
	bubble(t, spin, func(t *testing.T, sup *supervisor.Supervisor) {
		// The virtual clock stands still.
		for _, only := range []Matcher{{}, Kind(supervisor.ChildKilled)} {
			w := WatchAfter(t.Context(), sup, sup.Snapshot().Seq)
			w.Only = only
			if err := w.Expect(Killed(reader)); !errors.Is(err, ErrTooMany) && !errors.Is(err, ErrMissed) {
				t.Errorf("got %v", err)
			}
		}
	})
}

func TestACallTakesNoTimeForEventsThatAreThere(t *testing.T) {
	bubble(t, shop(fails(1, time.Second)), func(t *testing.T, sup *supervisor.Supervisor) {
		began := time.Now()
		w := Watch(t.Context(), sup)
		want(t, w.ExpectExactly(Starting("shop/ingest"), Started(reader), Started("shop/ingest")), nil)
		if took := time.Since(began); took != 0 {
			t.Errorf("it took %v", took)
		}
		w.Skip()
		want(t, w.ExpectExactly(), nil)
		if took := time.Since(began); took != 0 {
			t.Errorf("it took %v to hear that nothing comes", took)
		}
		want(t, w.Expect(Exited(reader, child.Failed).And(Next(supervisor.Restarts)), Restarted(reader)), nil)
		if took := time.Since(began); took != time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

func TestInABubbleNothingThatIsDueIsOverlooked(t *testing.T) {
	for range 20 {
		synctest.Test(t, func(t *testing.T) {
			release := make(chan struct{})
			run := func(context.Context) error {
				<-release
				for range 100 {
					runtime.Gosched()
				}
				return errReader
			}
			sup, err := quiet.Start(context.Background(), shop(run))
			if err != nil {
				t.Fatal(err)
			}
			w := Watch(t.Context(), sup)
			close(release)
			w.Only = Path(reader)
			want(t, w.ExpectExactly(Started(reader)), ErrUnexpected)
			want(t, sup.Stop(context.Background()), nil)
		})
	}
}

func TestTheEndOfTheTreeEndsACallAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		spec := shop(func(context.Context) error { time.Sleep(2 * time.Second); return errReader })
		spec.Backoff = strategies.Backoff{Min: strategies.None} // so that its window refuses at last
		spec.Intensity = strategies.Intensity{Restarts: 1, Period: time.Minute}
		began := time.Now()
		sup, err := quiet.Start(context.Background(), spec)
		if err != nil {
			t.Fatal(err)
		}
		w := Watch(t.Context(), sup)
		w.Timeout = time.Hour
		want(t, w.Expect(GaveUp("shop/ingest").And(Path(reader)), Killed(reader)), ErrEnded)
		want(t, w.Expect(GaveUp("shop").And(Path("shop/ingest"))), nil)
		w.Quiet = time.Hour
		want(t, w.ExpectExactly(), nil)
		if took := time.Since(began); took >= time.Hour {
			t.Errorf("it took %v", took)
		}
		want(t, sup.Wait(), errReader)
		want(t, w.Expect(Killed(reader)), ErrEnded)
	})
}

func TestEventsThatWereLostAreNeverTakenForEventsThatDidNotCome(t *testing.T) {
	bubble(t, shop(idle), func(t *testing.T, sup *supervisor.Supervisor) {
		w := Watch(t.Context(), sup)
		for range 2000 {
			want(t, sup.Find(reader).Bounce(t.Context()), nil)
		}
		for name, call := range map[string]func(...Matcher) error{"Expect": w.Expect, "ExpectExactly": w.ExpectExactly} {
			err := call(Matcher{})
			if !errors.Is(err, ErrMissed) || !strings.Contains(err.Error(), "events missed") {
				t.Errorf("%s: got %v", name, err)
			}
		}
		w.Only = Kind(supervisor.ChildAdded) // which does not hide a loss
		want(t, w.ExpectExactly(), ErrMissed)
		w.Skip()
		want(t, w.ExpectExactly(), nil)
	})
}

func TestWithoutABubbleAWatcherWorksOnTheWallClock(t *testing.T) {
	t.Parallel()
	sup, err := quiet.Start(context.Background(), shop(idle))
	if err != nil {
		t.Fatal(err)
	}
	w := Watch(t.Context(), sup)
	want(t, w.ExpectExactly(Starting("shop/ingest"), Started(reader), Started("shop/ingest")), nil)
	go func() { _ = sup.Find(reader).Bounce(context.Background()) }()
	want(t, w.Expect(Stopping(reader, child.ByBounce), Terminated(reader), Restarted(reader)), nil)
	w.Timeout = time.Millisecond
	want(t, w.Expect(Killed(reader)), ErrTimeout)
	want(t, sup.Stop(context.Background()), nil)
	want(t, w.Expect(Stopping("shop/ingest", child.ByShutdown), Terminated(reader), Exited("shop/ingest", child.Normal)), nil)
}

// parent is a context that counts those that are derived from it and live.
type parent struct {
	context.Context
	done     chan struct{}
	children atomic.Int32
}

func (p *parent) Done() <-chan struct{} { return p.done }

func (p *parent) AfterFunc(func()) (stop func() bool) {
	p.children.Add(1)
	return func() bool { p.children.Add(-1); return true }
}

func TestAWatcherLeavesNothingBehind(t *testing.T) {
	// A goroutine that a call leaves behind is a deadlock of the bubble.
	bubble(t, shop(idle), func(t *testing.T, sup *supervisor.Supervisor) {
		before := runtime.NumGoroutine()
		ctx := &parent{Context: context.Background(), done: make(chan struct{})}
		w := Watch(ctx, sup)
		w.Timeout = time.Hour
		want(t, w.Expect(Started(reader)), nil)
		want(t, w.ExpectExactly(Started("shop/ingest")), nil)
		want(t, w.Expect(Killed(reader)), ErrTimeout)
		synctest.Wait()
		if after := runtime.NumGoroutine(); after > before {
			t.Errorf("%d goroutines became %d", before, after)
		}
		if n := ctx.children.Load(); n != 0 {
			t.Errorf("its context has %d children", n)
		}
	})
}
