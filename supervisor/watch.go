package supervisor

import (
	"math"
	"sync"
	"time"
)

// The resolution of everything that liveness asks for: a time is looked at so
// many times, but not more often than the least pause.
const (
	looksEach  = 8
	leastPause = 10 * time.Millisecond
)

// watch looks after all runs of a tree that are watched. There is no timer and
// no goroutine for each: a beat sets a flag, and a sweep over all runs with the
// same resolution takes the flags and counts how many looks in a row have
// found none.
//
// It counts looks and not time, and there is at least the pause between two:
// so nothing is found too early, and a program that was stopped for an hour, or
// had no processor, does not take all who beat for dead when it comes to
// itself.
type watch struct {
	tree   *tree
	mu     sync.Mutex // protects what follows, and the vitals in the sweeps
	sweeps map[time.Duration]*sweep
}

// sweep is the runs that are looked at together.
type sweep struct {
	watch *watch
	pause time.Duration
	timer *time.Timer
	runs  []*vital
	asked uint32 // spreads pings over the sweeps
}

// stretch is how many runs are looked at before others get the lock.
const stretch = 256

// add begins to look at v, if nobody does.
func (w *watch) add(v *vital) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if v.place >= 0 {
		return
	}
	s := w.sweeps[v.pause]
	if s == nil {
		s = &sweep{watch: w, pause: v.pause}
		if w.sweeps == nil {
			w.sweeps = map[time.Duration]*sweep{}
		}
		w.sweeps[v.pause] = s
		s.timer = time.AfterFunc(s.pause, s.look)
	}
	v.place = int32(len(s.runs))
	s.runs = append(s.runs, v)
	if p := v.ping; p != nil {
		s.asked++
		p.spread(s.asked)
	}
}

// remove looks at v no more. It may be called for one that is not looked at.
func (w *watch) remove(v *vital) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.drop(v)
}

// drop is remove for those who hold the lock. The last takes the place of v:
// if v was looked at in this sweep, and the last was not, then it is its turn
// in the next, which is never too early.
func (w *watch) drop(v *vital) {
	s := w.sweeps[v.pause]
	if v.place < 0 || s == nil {
		return
	}
	last := int32(len(s.runs)) - 1
	s.runs[v.place] = s.runs[last]
	s.runs[v.place].place = v.place
	s.runs[last] = nil
	s.runs = s.runs[:last]
	v.place = -1
	if last == 0 {
		s.timer.Stop()
		delete(w.sweeps, s.pause)
	}
}

// look looks at all runs of the sweep once.
func (s *sweep) look() {
	now := s.watch.tree.now()
	for from, more := 0, true; more; from += stretch {
		var failed []*vital
		failed, more = s.part(from, now)
		for _, v := range failed {
			v.run.fail(v.verdict())
		}
	}
}

// part looks at those from that place on, and at the end sees to the next look.
// It returns those that are not alive; nobody looks at them any more.
func (s *sweep) part(from int, now time.Duration) (failed []*vital, more bool) {
	s.watch.mu.Lock()
	defer s.watch.mu.Unlock()
	to := min(from+stretch, len(s.runs))
	for _, v := range s.runs[min(from, to):to] {
		if !v.look(now) {
			failed = append(failed, v)
		}
	}
	for _, v := range failed {
		s.watch.drop(v)
	}
	if to < len(s.runs) {
		return failed, true
	}
	if len(s.runs) > 0 {
		s.timer.Reset(s.pause)
	}
	return failed, false
}

// pauseFor is the pause between two looks at the shortest of the times, of
// which zero is none.
func pauseFor(times ...time.Duration) time.Duration {
	shortest := time.Duration(0)
	for _, d := range times {
		if d > 0 && (shortest == 0 || d < shortest) {
			shortest = d
		}
	}
	return max(shortest/looksEach, leastPause)
}

// looksIn is how many looks with that pause make d or more.
func looksIn(d, pause time.Duration) int32 {
	if d <= 0 {
		return 0
	}
	return int32(min((d-1)/pause+1, math.MaxInt32))
}
