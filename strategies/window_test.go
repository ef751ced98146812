package strategies_test

import (
	"math"
	"testing"
	"time"
	"unsafe"

	"github.com/coppice-go/coppice/strategies"
)

// within is a shared limit; the shortest way to write one.
func within(restarts int, period time.Duration) strategies.Intensity {
	return strategies.Intensity{Restarts: restarts, Period: period}
}

// ask puts a sequence of times to a window and checks the answers, + for
// allowed and - for refused.
func ask(t *testing.T, limit strategies.Intensity, times []time.Duration, want string) {
	t.Helper()
	var w strategies.Window
	got := ""
	for _, now := range times {
		if w.Allow(now, limit) {
			got += "+"
		} else {
			got += "-"
		}
	}
	if got != want {
		t.Errorf("%v at %v: got %s, want %s", limit, times, got, want)
	}
}

func TestNRestartsWithinThePeriodAreAllowedAndTheNextIsRefused(t *testing.T) {
	for n := range 20 {
		var w strategies.Window
		limit := within(n, time.Minute)
		for i := range n {
			if !w.Allow(time.Duration(i)*time.Second, limit) {
				t.Fatalf("%v: restart %d was refused", limit, i+1)
			}
		}
		if w.Allow(time.Duration(n)*time.Second, limit) {
			t.Fatalf("%v: restart %d was allowed", limit, n+1)
		}
	}
	ask(t, strategies.Intensity{}, []time.Duration{0, 0, 0, 0}, "+++-")
	ask(t, strategies.Intensity{Restarts: 2}, []time.Duration{0, 0, 10 * time.Second}, "++-")
}

func TestAnAgeEqualToThePeriodStillCounts(t *testing.T) {
	limit := within(1, time.Second)
	ask(t, limit, []time.Duration{0, time.Second}, "+-")
	ask(t, limit, []time.Duration{0, time.Second + 1}, "++")
	ask(t, limit, []time.Duration{7, 7 + time.Second, 8 + time.Second}, "+-+")
	var w strategies.Window
	w.Allow(0, limit)
	if got := w.Count(time.Second, limit); got != 1 {
		t.Errorf("at the period: %d, want 1", got)
	}
	if got := w.Count(time.Second+1, limit); got != 0 {
		t.Errorf("just after the period: %d, want 0", got)
	}
}

func TestARefusedAttemptIsNotStored(t *testing.T) {
	// If those at 1 to 4 were stored, the window would be full at 11.
	ask(t, within(2, 10), []time.Duration{0, 0, 1, 2, 3, 4, 10, 11, 11, 11}, "++-----++-")
}

func TestALimitOfZeroRefusesTheFirstRestart(t *testing.T) {
	ask(t, within(0, time.Nanosecond), []time.Duration{0, time.Hour, 1000 * time.Hour}, "---")
}

func TestUnlimitedAllowsEverythingAndStoresNothing(t *testing.T) {
	var w strategies.Window
	for range 100_000 {
		if !w.Allow(0, strategies.Intensity{Restarts: strategies.Unlimited}) {
			t.Fatal("refused")
		}
	}
	if got := w.Count(0, within(strategies.Unlimited, time.Hour)); got != 0 || w.Room() != 0 {
		t.Errorf("it holds %d restarts in room for %d", got, w.Room())
	}
}

func TestANewLimitAppliesToTheRestartsAlreadyCounted(t *testing.T) {
	for name, c := range map[string]struct {
		old, new strategies.Intensity
		want     string
	}{
		"raised from 1 to 2, one more":          {within(1, 9), within(2, 9), "+-"},
		"raised far, as many more":              {within(3, 9), within(9, 9), "++++++-"},
		"lowered, none until old ones are gone": {within(8, 9), within(2, 9), "-"},
		"a shorter period lets go":              {within(2, 9), within(2, 4), "++-"},
	} {
		var w strategies.Window
		for w.Allow(0, c.old) {
		}
		got := ""
		for len(got) < len(c.want) {
			got += map[bool]string{true: "+", false: "-"}[w.Allow(5, c.new)]
		}
		if got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
}

func TestTheWindowNeverHoldsMoreThanNEntries(t *testing.T) {
	if size := unsafe.Sizeof(strategies.Window{}); size > 40 {
		t.Errorf("an empty window takes %d bytes, want at most 40", size)
	}
	for _, n := range []int{1, 2, 3, 4, 5, 7, 8, 9, 100, 1000} {
		var w strategies.Window
		for i := range 10 * n {
			w.Allow(time.Duration(i), within(n, time.Hour))
			if room := w.Room(); room > n || room > max(4, 2*(i+1)) {
				t.Fatalf("limit %d, after %d restarts: room for %d", n, i+1, room)
			}
		}
		if w.Room() != n {
			t.Errorf("full at %d, with room for %d", n, w.Room())
		}
	}
}

func TestTheWindowGivesItsMemoryBack(t *testing.T) {
	var w strategies.Window
	limit := within(math.MaxInt, time.Hour)
	for i := range 100_000 {
		w.Allow(time.Duration(i), limit)
	}
	full := w.Room()
	// Half of them have gone, then all but ten, then all.
	for _, c := range []struct {
		now  time.Duration
		room int
	}{{80_000, full / 2}, {99_989, 32}, {200_000, 4}} {
		w.Allow(time.Hour+c.now, limit)
		if w.Room() > c.room {
			t.Errorf("%d restarts in room for %d, want at most %d", w.Count(time.Hour+c.now, limit), w.Room(), c.room)
		}
	}
}

func TestTheCostOfARestartDoesNotGrowWithTheRestartsSeen(t *testing.T) {
	// The ratios are measured and so are generous: what is to be caught is a
	// cost that follows the number of restarts.
	cost := func(n int, step time.Duration) float64 {
		best := math.Inf(1)
		for range 5 {
			var w strategies.Window
			limit := within(n, time.Duration(n))
			for i := range 2 * n { // full, and has been around
				w.Allow(time.Duration(i)*step, limit)
			}
			now := time.Duration(2*n) * step
			start := time.Now()
			for range 20_000 {
				now += step
				w.Allow(now, limit)
			}
			best = min(best, float64(time.Since(start)))
		}
		return best
	}
	for name, step := range map[string]time.Duration{"refused": 0, "allowed": 1} {
		if few, many := cost(10, step), cost(100_000, step); many > 20*few {
			t.Errorf("%s: a window of 100000 takes %.0f times as long as one of 10", name, many/few)
		}
	}
	var w strategies.Window
	now := time.Duration(0)
	if allocs := testing.AllocsPerRun(10_000, func() { now += 100; w.Allow(now, within(64, 1000)) }); allocs > 0 {
		t.Errorf("a steady child costs %v allocations a restart", allocs)
	}
}

func TestCountingChangesNothing(t *testing.T) {
	var w strategies.Window
	limit := within(100, 1000)
	for i := range 150 {
		now := time.Duration(i * 9)
		before := w
		w.Count(now+5000, limit)
		w.Count(now-5000, limit)
		if w.Room() != before.Room() || w.Count(now, limit) != before.Count(now, limit) {
			t.Fatalf("at %d: the window changed", i)
		}
		w.Allow(now, limit)
	}
}

func TestAClockThatGoesBackwardsDoesNoHarm(t *testing.T) {
	ask(t, within(2, 10), []time.Duration{100, 0, 0, 109, 110, 111}, "++---+")
	ends := []time.Duration{math.MinInt64, 0, math.MaxInt64}
	for _, first := range ends {
		for _, second := range ends {
			var w strategies.Window
			w.Allow(first, within(1, time.Hour))
			// Between the ends of time lies more than a Duration can hold, and
			// it is not within the hour.
			if got, want := w.Allow(second, within(1, time.Hour)), second > first; got != want {
				t.Errorf("%d, then %d: allowed is %v, want %v", first, second, got, want)
			}
		}
	}
	ask(t, within(-7, time.Second), []time.Duration{0, time.Hour}, "--")
	ask(t, within(1, -time.Second), []time.Duration{0, 0, 1}, "+-+")
}
