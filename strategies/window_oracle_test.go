package strategies_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/coppice-go/coppice/strategies"
)

// A history is the window again, in the simplest way there is: it keeps
// everything that was ever allowed, forgets nothing, and looks at all of it
// each time.
type history []time.Duration

func (h history) count(now time.Duration, limit strategies.Intensity) (n int) {
	for _, at := range h {
		if now-at <= limit.Period {
			n++
		}
	}
	return n
}

func (h *history) allow(now time.Duration, limit strategies.Intensity) bool {
	if limit.Restarts == strategies.Unlimited {
		return true
	}
	if h.count(now, limit)+1 > limit.Restarts {
		return false
	}
	*h = append(*h, now)
	return true
}

// A step is an attempt some time after the one before.
type step struct {
	after time.Duration
	limit strategies.Intensity
}

// differ runs both over the steps and tells the first difference.
func differ(steps []step) error {
	var w strategies.Window
	var h history
	var now time.Duration
	for i, s := range steps {
		now += s.after
		if got, want := w.Count(now, s.limit), h.count(now, s.limit); got != want {
			return fmt.Errorf("step %d, before %v at %d: counted %d, want %d", i, s.limit, now, got, want)
		}
		if got, want := w.Allow(now, s.limit), h.allow(now, s.limit); got != want {
			return fmt.Errorf("step %d, %v at %d: allowed is %v, want %v", i, s.limit, now, got, want)
		}
		if got, want := w.Count(now, s.limit), h.count(now, s.limit); got != want {
			return fmt.Errorf("step %d, after %v at %d: counted %d, want %d", i, s.limit, now, got, want)
		}
	}
	return nil
}

// randomSteps has small numbers, so that times meet the edges of the period
// often. The period stays the same, because the window may forget by it; the
// limit changes now and then.
func randomSteps(r *rand.Rand) []step {
	limit := within(r.IntN(12)-1, time.Duration(1+r.IntN(30)))
	longest := 1 + r.IntN(2*int(limit.Period))
	steps := make([]step, r.IntN(60))
	for i := range steps {
		if r.IntN(20) == 0 {
			limit.Restarts = r.IntN(40) - 1
		}
		steps[i].limit = limit
		if r.IntN(3) > 0 { // often at the same time
			steps[i].after = time.Duration(r.IntN(longest))
		}
	}
	return steps
}

func TestTheWindowAgreesWithAListOfEverythingThatHappened(t *testing.T) {
	for seed := range uint64(50_000) {
		steps := randomSteps(rand.New(rand.NewPCG(seed, 0)))
		if err := differ(steps); err != nil {
			t.Fatalf("seed %d: %v\n%v", seed, err, steps)
		}
	}
}

func FuzzWindow(f *testing.F) {
	f.Add(uint8(3), uint8(10), []byte{0, 1, 2, 3, 10, 0, 0, 11})
	f.Add(uint8(0), uint8(0), []byte{0})
	f.Add(uint8(200), uint8(255), make([]byte, 300))
	f.Fuzz(func(t *testing.T, restarts, period uint8, gaps []byte) {
		// All of Unlimited, 0, 1 and so on; a period of zero would be a
		// default.
		limit := within(int(restarts)-1, time.Duration(period)+1)
		steps := make([]step, len(gaps))
		for i, gap := range gaps {
			steps[i] = step{time.Duration(gap), limit}
		}
		if err := differ(steps); err != nil {
			t.Error(err)
		}
	})
}
