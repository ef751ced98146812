package notify

import (
	"math/rand/v2"
	"testing"
	"time"
)

func TestAtMostAHundredDatagramsAreReadInAnySecond(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	var (
		p    pace
		now  time.Duration
		read []time.Duration
	)
	for len(read) < 20*PerSecond {
		// Mostly as fast as permitted, now and then after a pause.
		if random.IntN(50) == 0 {
			now += time.Duration(random.IntN(int(2 * time.Second)))
		}
		now += p.wait(now) + time.Duration(random.IntN(2))*time.Millisecond
		if p.wait(now) != 0 {
			t.Fatal("the wait was too short")
		}
		p.spend(now)
		read = append(read, now)
	}
	for i := PerSecond; i < len(read); i++ {
		if d := read[i] - read[i-PerSecond]; d < time.Second {
			t.Fatalf("readings %d to %d took %v", i-PerSecond, i, d)
		}
	}
	var fresh pace
	for i := range PerSecond {
		if w := fresh.wait(0); w != 0 {
			t.Fatalf("the first reading number %d has to wait %v", i, w)
		}
		fresh.spend(0)
	}
	if got := fresh.wait(0); got != time.Second {
		t.Errorf("a hundred at once: got a wait of %v", got)
	}
	if got := fresh.wait(time.Second); got != 0 {
		t.Errorf("a second later: got a wait of %v", got)
	}
}
