package process

import (
	"errors"
	"testing"
	"time"
)

// unborn is a handle of a process that is only imagined.
func unborn() *Handle { return newHandle(&proc{exited: make(chan struct{})}) }

func TestAQuotaEndsTheRunWhenItWasPassedSeveralTimesInARow(t *testing.T) {
	const over, under = 11, 10
	for name, tt := range map[string]struct {
		samples int
		memory  []uint64
		failed  bool
	}{
		"three in a row":               {0, []uint64{over, over, over}, true},
		"two in a row":                 {0, []uint64{over, over, under, over, over}, false},
		"one is enough where one said": {1, []uint64{under, over}, true},
		"the limit is allowed":         {1, []uint64{under, under, under}, false},
	} {
		h := unborn()
		e := &enforcer{ctx: t.Context(), handle: h, quota: Quota{Memory: 10, Samples: tt.samples}}
		for _, m := range tt.memory {
			e.take(Stats{Tree: Use{Memory: m}}, nil)
			e.take(Stats{}, errors.New("it cannot be read")) // is no sample
		}
		if got := h.reason() != nil; got != tt.failed {
			t.Errorf("%s: got %v", name, h.reason())
		}
	}
}

func TestOnePassServesAllWhoWantASample(t *testing.T) {
	for _, every := range []time.Duration{MinInterval, time.Second, 5 * time.Second} {
		due := map[time.Time]int{}
		for now := epoch.Add(every * 1000); now.Before(epoch.Add(every * 1001)); now = now.Add(every / 20) {
			w := watcher{every: every}
			next := w.after(now)
			if wait := next.Sub(now); wait < every/2 || wait > every*3/2 {
				t.Errorf("every %v: the next one comes after %v", every, wait)
			}
			if again := w.after(next); again.Sub(next) != every {
				t.Errorf("every %v: got %v", every, again.Sub(next))
			}
			due[next]++
		}
		if len(due) != 2 {
			t.Errorf("those who came within %v are due at %d times", every, len(due))
		}
	}
}

func TestSamplesAreSharedByThoseWhoAreDue(t *testing.T) {
	s := sampler{news: make(chan struct{}, 1), watchers: map[*watcher]struct{}{}, running: true}
	now := time.Now()
	soon := s.add(unborn(), MinInterval, nil)
	s.add(unborn(), MinInterval, nil)
	late := s.add(unborn(), time.Hour, nil)
	if due, wait, _ := s.due(now); len(due) != 0 || wait <= 0 || wait > 2*MinInterval {
		t.Errorf("got %d who are due, else after %v", len(due), wait)
	}
	if due, _, _ := s.due(now.Add(2 * MinInterval)); len(due) != 2 {
		t.Errorf("got %d who are due, want 2", len(due))
	}
	s.remove(late)
	s.remove(soon)
	if _, _, wanted := s.due(now); !wanted {
		t.Error("nobody wants a sample, says the sampler")
	}
}
