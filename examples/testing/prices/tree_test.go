package prices_test

import (
	"context"
	"io"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/examples/testing/prices"
	"github.com/coppice-go/coppice/supervisor"
	"github.com/coppice-go/coppice/supervisor/supervisortest"
)

var oak = prices.Price{Symbol: "OAK", Cents: 950}

// in runs a test in a bubble, where the clock is virtual, on a tree that has
// started, and stops the tree: what was started in a bubble has to end in it.
func in(t *testing.T, test func(t *testing.T, x *exchange, sup *supervisor.Supervisor, w *supervisortest.Watcher)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		x := newExchange()
		sup, err := supervisor.Options{Logger: slog.New(slog.DiscardHandler)}.Start(t.Context(), prices.Tree(x.config()))
		if err != nil {
			t.Fatal(err)
		}
		defer sup.Stop(context.Background())
		w := supervisortest.Watch(t.Context(), sup)
		w.Timeout = time.Hour // costs nothing here
		synctest.Wait()       // until nobody has anything to do: the feed has dialled
		test(t, x, sup, w)
	})
}

func TestWhoGetsThePricesStartsBeforeWhoSendsThem(t *testing.T) {
	in(t, func(t *testing.T, _ *exchange, _ *supervisor.Supervisor, w *supervisortest.Watcher) {
		expect(t, w,
			supervisortest.Started("prices/cache"),
			supervisortest.Started("prices/writers/journal"),
			supervisortest.Started("prices/writers/index"),
			supervisortest.Started("prices/writers"),
			supervisortest.Started("prices/feed"),
		)
	})
}

func TestAPriceComesToTheCacheAndToBothWriters(t *testing.T) {
	in(t, func(t *testing.T, x *exchange, sup *supervisor.Supervisor, _ *supervisortest.Watcher) {
		x.prices <- oak
		synctest.Wait() // the price is everywhere
		latest, err := supervisor.Get[*prices.Latest](t.Context(), sup.Find("prices/cache"))
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := latest.Of("OAK"); got != oak {
			t.Errorf("the cache has %v", got)
		}
		if j, i := x.journaled.Load(), x.indexed.Load(); j != 1 || i != 1 {
			t.Errorf("the journal has %d and the index %d", j, i)
		}
	})
}

func TestABusyExchangeIsDialledEverMoreSlowly(t *testing.T) {
	in(t, func(t *testing.T, x *exchange, _ *supervisor.Supervisor, w *supervisortest.Watcher) {
		began := time.Now()
		x.busy.Store(3)
		x.prices <- prices.Price{} // the line breaks, in its first second
		busy := supervisortest.Exited("prices/feed", child.Failed).And(supervisortest.Cause(errBusy))
		expect(t, w, supervisortest.Cause(io.ErrUnexpectedEOF), busy, busy, busy, supervisortest.Restarted("prices/feed"))
		// A run shorter than a second waits, each time for twice as long.
		if took := time.Since(began); took != (1+2+4+8)*time.Second {
			t.Errorf("it was there again after %v", took)
		}
		x.prices <- oak // and it works
	})
}

func TestALineThatIsSilentIsDialledAnew(t *testing.T) {
	in(t, func(t *testing.T, x *exchange, _ *supervisor.Supervisor, w *supervisortest.Watcher) {
		began := time.Now()
		time.Sleep(prices.Silence / 2)
		x.prices <- oak // not silent for half a minute, so the time begins anew
		expect(t, w,
			supervisortest.Stopping("prices/feed", child.ByBeat),
			supervisortest.Exited("prices/feed", child.KilledByUs),
			supervisortest.Restarted("prices/feed"),
		)
		// Silence is never found too early, and at most an eighth of it too late.
		if took := time.Since(began) - prices.Silence/2; took < prices.Silence || took > prices.Silence*9/8 {
			t.Errorf("it was taken for dead after %v", took)
		}
	})
}

func TestAWriterThatFailsTakesTheOtherAlongAndNobodyElse(t *testing.T) {
	in(t, func(t *testing.T, x *exchange, sup *supervisor.Supervisor, w *supervisortest.Watcher) {
		time.Sleep(10 * time.Second) // no short run, so the restart comes at once
		w.Skip()                     // the starts
		x.full.Store(1)
		x.prices <- oak
		// These events and no others, in this order.
		err := w.ExpectExactly(
			supervisortest.Exited("prices/writers/journal", child.Failed).And(supervisortest.Cause(errDisk)),
			supervisortest.Stopping("prices/writers/index", child.ByGroup),
			supervisortest.Terminated("prices/writers/index"),
			supervisortest.Restarted("prices/writers/journal"),
			supervisortest.Restarted("prices/writers/index"),
		)
		if err != nil {
			t.Error(err) // shows what came, and where it differs
		}
		for _, path := range []string{"prices/cache", "prices/feed"} {
			if s, err := sup.Find(path).Status(); err != nil || s.Incarnation != 1 {
				t.Errorf("%s is at run %d, %v", path, s.Incarnation, err)
			}
		}
	})
}

func TestADiskThatIsFullForAnHourEndsNothing(t *testing.T) {
	in(t, func(t *testing.T, x *exchange, sup *supervisor.Supervisor, w *supervisortest.Watcher) {
		trade := func(until func() bool) {
			for !until() {
				x.prices <- oak
				time.Sleep(100 * time.Millisecond)
			}
		}
		x.full.Store(1 << 30)
		later := time.Now().Add(time.Hour)
		trade(func() bool { return time.Now().After(later) })
		// The journal fails with each price, but is tried ever more slowly.
		expect(t, w, supervisortest.Exited("prices/writers/journal", child.Failed).And(
			supervisortest.Where("five minutes to wait", func(e supervisor.Event) bool { return e.Wait == 5*time.Minute }),
		))
		x.full.Store(0)
		trade(func() bool { return x.journaled.Load() > 0 })
		for _, path := range []string{"prices/cache", "prices/writers"} {
			if s, err := sup.Find(path).Status(); err != nil || s.Incarnation != 1 {
				t.Errorf("%s is at run %d, %v", path, s.Incarnation, err)
			}
		}
	})
}

func TestTheStopIsTheStartBackwards(t *testing.T) {
	in(t, func(t *testing.T, _ *exchange, sup *supervisor.Supervisor, w *supervisortest.Watcher) {
		if err := sup.Stop(context.Background()); err != nil {
			t.Error(err)
		}
		expect(t, w,
			supervisortest.Terminated("prices/feed"),
			supervisortest.Terminated("prices/writers/index"),
			supervisortest.Terminated("prices/writers/journal"),
			supervisortest.Terminated("prices/cache"),
		)
	})
}

// expect wants these events in this order; others may lie between.
func expect(t *testing.T, w *supervisortest.Watcher, want ...supervisortest.Matcher) {
	t.Helper()
	if err := w.Expect(want...); err != nil {
		t.Error(err)
	}
}
