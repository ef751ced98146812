package strategies_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/coppice-go/coppice/strategies"
)

// always is a child all of whose runs last as long.
func always(lived time.Duration) func(int) time.Duration {
	return func(int) time.Duration { return lived }
}

func TestAChildThatDiesAtOnceIsTriedEverMoreSlowlyAndNeverRefused(t *testing.T) {
	// Any life below the threshold is "at once".
	for _, lived := range []time.Duration{0, time.Millisecond, 500 * time.Millisecond, time.Second - 1} {
		attempts := strategies.Timeline(strategies.Intensity{}, strategies.Backoff{}, always(lived), 10_000)
		if len(attempts) != 10_000 {
			t.Fatalf("living %v, it got %d attempts", lived, len(attempts))
		}
		var before time.Duration
		for _, a := range attempts {
			if !a.Allowed || a.Wait < before || a.Wait > 5*time.Minute {
				t.Fatalf("living %v: %+v, after a wait of %v", lived, a, before)
			}
			before = a.Wait
		}
		if before != 5*time.Minute {
			t.Errorf("living %v, it ends up with waits of %v", lived, before)
		}
	}
}

func TestAChildThatDiesJustAfterTheThresholdIsRefusedItsFourthRestart(t *testing.T) {
	for lived, refused := range map[time.Duration]bool{
		time.Second:          true,
		2 * time.Second:      true,
		10 * time.Second / 3: true, // the first of three is then not quite 10 s old
		10*time.Second/3 + 1: false,
		20 * time.Second:     false,
	} {
		attempts := strategies.Timeline(strategies.Intensity{}, strategies.Backoff{}, always(lived), 100)
		last := attempts[len(attempts)-1]
		if refused != (len(attempts) == 4) || refused == last.Allowed {
			t.Errorf("living %v: %d attempts, the last %+v", lived, len(attempts), last)
		}
	}
}

func TestTheAttemptIsMadeAndCountedAfterTheDelay(t *testing.T) {
	in, b := within(1, 3*time.Second), strategies.Backoff{Min: 4 * time.Second}
	got := strategies.Timeline(in, b, always(0), 3)
	for i, a := range got {
		// Had the exits been counted, 0 s and 4 s apart, or the waits not, the
		// second would be refused or too early.
		want := time.Duration(4<<i) * time.Second
		if a.Wait != want || a.Due != a.Started+a.Lived+a.Wait || a.InWindow != 1 || !a.Allowed {
			t.Errorf("%+v", a)
		}
	}
}

func TestTheTimelineIsWhatBothLayersSay(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	for range 5_000 {
		in, b := randomIntensity(r), randomBackoff(r)
		lives := make([]time.Duration, 20)
		for i := range lives {
			lives[i] = randomDuration(r)
		}
		attempts := strategies.Timeline(in, b, func(n int) time.Duration { return lives[n-1] }, len(lives))
		var past history
		for i, a := range attempts {
			if i > 0 && a.Started != attempts[i-1].Due || a.Run != i+1 || a.Lived != lives[i] {
				t.Fatalf("%v %v: attempt %d is %+v", in, b, i, a)
			}
			allowed := past.allow(a.Due, in.WithDefaults())
			if a.Allowed != allowed || a.InWindow != past.count(a.Due, in.WithDefaults()) {
				t.Fatalf("%v %v: %+v, allowed should be %v", in, b, a, allowed)
			}
			if last := i == len(attempts)-1; a.Allowed == last && len(attempts) < len(lives) {
				t.Fatalf("%v %v: it goes on after giving up, or ends without", in, b)
			}
		}
	}
}

func TestTheTimelineHoldsForOddLives(t *testing.T) {
	if got := strategies.Timeline(strategies.OTP(), strategies.Twisted(), always(0), -1); len(got) != 0 {
		t.Errorf("with a negative limit: %v", got)
	}
	unlimited := within(strategies.Unlimited, 0)
	for _, a := range strategies.Timeline(unlimited, strategies.Backoff{Min: longest}, always(longest), 3) {
		if a.Due != longest || a.InWindow != 0 {
			t.Errorf("at the end of time: %+v", a)
		}
	}
	if a := strategies.Timeline(unlimited, strategies.Backoff{}, always(-time.Hour), 1)[0]; a.Lived != 0 || a.Due != time.Second {
		t.Errorf("with a negative life: %+v", a)
	}
}
