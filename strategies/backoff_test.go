package strategies_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/coppice-go/coppice/strategies"
)

const longest = time.Duration(math.MaxInt64)

// waits returns what follows after each of these runs.
func waits(b strategies.Backoff, lives ...time.Duration) (waited []time.Duration) {
	var wait, delay time.Duration
	for _, ran := range lives {
		wait, delay = b.After(delay, ran, 0)
		waited = append(waited, wait)
	}
	return waited
}

func TestAShortRunWaitsTheDelayWhichThenDoublesUpToTheMaximum(t *testing.T) {
	// The gaps that Twisted's monitor was seen to make with these parameters.
	b := strategies.Backoff{Min: 200 * time.Millisecond, Max: time.Second}
	ms := time.Millisecond
	want := []time.Duration{200 * ms, 400 * ms, 800 * ms, time.Second, time.Second, time.Second}
	if got := waits(b, 0, 0, 999*ms, 0, 0, 0); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got, want := waits(strategies.Backoff{}, make([]time.Duration, 12)...)[11], 5*time.Minute; got != want {
		t.Errorf("by default: got %v, want %v", got, want)
	}
	if got, want := waits(strategies.Twisted(), make([]time.Duration, 15)...)[14], time.Hour; got != want {
		t.Errorf("Twisted: got %v, want %v", got, want)
	}
}

func TestARunAsLongAsTheThresholdIsFollowedAtOnceAndResetsTheDelay(t *testing.T) {
	s := time.Second
	got := waits(strategies.Backoff{}, 0, 0, s-1, s, 0, 0, time.Hour, 0, -s)
	want := []time.Duration{s, 2 * s, 4 * s, 0, s, 2 * s, 0, s, 2 * s}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestJitterAddsAtMostItsShareAndNeverEntersTheState(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 50_000 {
		b := randomBackoff(r).WithDefaults()
		plain := b
		plain.Jitter = 0
		var delay time.Duration
		for range 10 {
			rnd := r.Float64()
			wait, next := b.After(delay, 0, rnd)
			least, same := plain.After(delay, 0, rnd)
			most := float64(least) * (1 + b.Jitter)
			if wait < least || float64(wait) > most*(1+1e-15) || next != same {
				t.Fatalf("%v after %v: %v, %v; without jitter %v, %v", b, delay, wait, next, least, same)
			}
			delay = next
		}
	}
	b := strategies.Backoff{Min: time.Second, Jitter: 0.5}
	for rnd, want := range map[float64]time.Duration{
		0: 1000, 0.5: 1250, 1: 1500, 2: 1500, -1: 1000, math.Inf(1): 1500, math.NaN(): 1000,
	} {
		if wait, _ := b.After(0, 0, rnd); wait != want*time.Millisecond {
			t.Errorf("at %v: got %v, want %v", rnd, wait, want*time.Millisecond)
		}
	}
}

func TestNoneMeansNoDelay(t *testing.T) {
	b := strategies.Backoff{Min: strategies.None, Max: time.Hour, Jitter: 1}
	for _, delay := range []time.Duration{0, strategies.None, time.Hour, longest} {
		for _, ran := range []time.Duration{0, time.Second, longest} {
			if wait, next := b.After(delay, ran, 0.9); wait != 0 || next != 0 {
				t.Errorf("after %v, %v: %v, %v", delay, ran, wait, next)
			}
		}
	}
}

func TestNoDelayEverOverflows(t *testing.T) {
	b := strategies.Backoff{Min: 1, Max: longest, Jitter: 1}.WithDefaults()
	var wait, delay time.Duration
	for range 10_000_000 {
		if wait, delay = b.After(delay, 0, 1); wait <= 0 || delay <= 0 {
			t.Fatalf("%v, %v", wait, delay)
		}
	}
	if wait != longest || delay != longest {
		t.Errorf("in the end %v, %v", wait, delay)
	}
	// Whatever is put in, valid or not, comes out as a wait that can be waited.
	odd := []time.Duration{math.MinInt64, -2, -1, 0, 1, time.Second, longest/2 + 1, longest}
	jitters := []float64{math.NaN(), math.Inf(-1), -1, 0, 0.3, 1, 1e300, math.Inf(1)}
	for _, b.Threshold = range odd {
		for _, b.Min = range odd {
			for _, b.Max = range odd {
				for _, b.Jitter = range jitters {
					for _, delay := range odd {
						if wait, _ := b.After(delay, 0, 0.7); wait < 0 && b.Max >= 0 {
							t.Fatalf("%#v after %d: %d", b, delay, wait)
						}
					}
				}
			}
		}
	}
}

func TestNoDelayIsShorterThanTheOneBefore(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 10_000 {
		b := randomBackoff(r)
		got := waits(b, make([]time.Duration, 70)...)
		if !slices.IsSorted(got) {
			t.Fatalf("%v: %v", b, got)
		}
		if d := b.WithDefaults(); d.Min > 0 && (got[0] != d.Min || got[69] != d.Max) {
			t.Fatalf("%v: from %v to %v", b, got[0], got[69])
		}
	}
}

func TestAValueWorksWithoutItsDefaultsApplied(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 10_000 {
		b, delay, ran, rnd := randomBackoff(r), randomDuration(r), randomDuration(r), r.Float64()
		wait, next := b.After(delay, ran, rnd)
		if w, n := b.WithDefaults().After(delay, ran, rnd); w != wait || n != next {
			t.Fatalf("%v: %v, %v; with defaults %v, %v", b, wait, next, w, n)
		}
		limit := randomIntensity(r)
		limit.Restarts = min(limit.Restarts, 10)
		var plain, applied strategies.Window
		for now := range time.Duration(30) {
			now *= time.Second
			if plain.Allow(now, limit) != applied.Allow(now, limit.WithDefaults()) ||
				plain.Count(now, limit) != applied.Count(now, limit.WithDefaults()) {
				t.Fatalf("%v differs from %v", limit, limit.WithDefaults())
			}
		}
	}
}

func TestTheDelayIsAlwaysWithinMinAndMax(t *testing.T) {
	// The delay and the life put in, the wait and the next delay that come out.
	b := strategies.Backoff{Threshold: 100, Min: 3, Max: 7}
	for name, c := range map[string]struct{ delay, ran, wait, next time.Duration }{
		"no delay yet is Min":             {0, 0, 3, 6},
		"a delay below Min is Min":        {1, 0, 3, 6},
		"the next stays below an odd Max": {3, 99, 3, 6},
		"twice is more than Max":          {4, 0, 4, 7},
		"a delay above Max is Max":        {1000, 0, 7, 7},
		"a long run resets to Min":        {7, 100, 0, 3},
	} {
		if wait, next := b.After(c.delay, c.ran, 0); wait != c.wait || next != c.next {
			t.Errorf("%s: got %d, %d, want %d, %d", name, wait, next, c.wait, c.next)
		}
	}
	b.Jitter = 20 // somebody meant per cent, and did not ask Validate
	if wait, _ := b.After(7, 0, 1); wait != 14 {
		t.Errorf("with a jitter that is too large: got %d, want 14", wait)
	}
}

func TestAFieldThatWasGivenIsKept(t *testing.T) {
	type backoff = strategies.Backoff
	s := time.Second
	for name, c := range map[string]struct{ set, means backoff }{
		"the zero value":                     {backoff{}, backoff{s, s, 5 * time.Minute, 0}},
		"a Min above the default of Max":     {backoff{Min: time.Hour}, backoff{s, time.Hour, time.Hour, 0}},
		"a Max below the default of Min":     {backoff{Max: 300}, backoff{s, 300, 300, 0}},
		"no delay":                           {backoff{Min: strategies.None}, backoff{s, -1, 5 * time.Minute, 0}},
		"a threshold and a jitter":           {backoff{Threshold: 7, Jitter: 0.1}, backoff{7, s, 5 * time.Minute, 0.1}},
		"what is wrong is left for Validate": {backoff{-1, -2, -3, -4}, backoff{-1, -2, -3, -4}},
	} {
		if got := c.set.WithDefaults(); got != c.means {
			t.Errorf("%s: got %#v, want %#v", name, got, c.means)
		}
	}
	if b := strategies.Twisted(); b != b.WithDefaults() {
		t.Errorf("Twisted: %#v", b)
	}
}
