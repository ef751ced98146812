package process

import (
	"maps"
	"slices"
	"sync"
	"time"
)

// sampler takes samples for all who want them at an interval: one goroutine
// for the whole program, which exists only while somebody does.
type sampler struct {
	news chan struct{} // has room for one: watchers have come or gone

	mu       sync.Mutex // protects what follows
	watchers map[*watcher]struct{}
	running  bool
}

// theSampler is the sampler of the program.
var theSampler = sampler{news: make(chan struct{}, 1), watchers: map[*watcher]struct{}{}}

// A watcher is somebody who wants samples of one process.
type watcher struct {
	handle *Handle
	every  time.Duration
	next   time.Time          // protected by the sampler
	take   func(Stats, error) // must not block; may be called once after the removal
}

// add has take called at the interval, beginning in half an interval to one
// and a half.
func (s *sampler) add(h *Handle, every time.Duration, take func(Stats, error)) *watcher {
	if every == 0 {
		every = usualInterval
	}
	w := &watcher{handle: h, every: max(every, MinInterval), take: take}
	s.mu.Lock()
	defer s.mu.Unlock()
	w.next = w.after(time.Now())
	s.watchers[w] = struct{}{}
	if !s.running {
		s.running = true
		go s.run()
	}
	s.tell()
	return w
}

func (s *sampler) remove(w *watcher) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.watchers, w)
	s.tell()
}

func (s *sampler) tell() {
	select {
	case s.news <- struct{}{}:
	default:
	}
}

// epoch is what the intervals are multiples from, so that watchers with the
// same interval are due together, whenever they came; and what the times of
// journals count from.
var epoch = time.Now()

// after is the next time that w is due after now, unless that is very soon.
func (w *watcher) after(now time.Time) time.Time {
	since := now.Sub(epoch) + w.every/2
	return epoch.Add(since.Truncate(w.every) + w.every)
}

func (s *sampler) run() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		due, wait, wanted := s.due(time.Now())
		if !wanted {
			return
		}
		if len(due) > 0 {
			deliver(due)
			continue
		}
		timer.Reset(wait)
		select {
		case <-timer.C:
		case <-s.news:
		}
	}
}

// due are those who want a sample now, or how long nobody does. When there is
// nobody at all, the goroutine that asks has to end.
func (s *sampler) due(now time.Time) (due []*watcher, wait time.Duration, wanted bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.watchers) == 0 {
		s.running = false
		return nil, 0, false
	}
	wait = usualInterval
	for w := range s.watchers {
		if !w.next.After(now) {
			due, w.next = append(due, w), w.after(now)
		}
		wait = min(wait, w.next.Sub(now))
	}
	return due, wait, true
}

// deliver takes one sample of each process that is asked for, and gives it to
// all who did.
func deliver(due []*watcher) {
	handles := map[*Handle]struct{}{}
	for _, w := range due {
		handles[w.handle] = struct{}{}
	}
	all, err := sample(slices.Collect(maps.Keys(handles)))
	for _, w := range due {
		if s, ok := all[w.handle]; ok || err != nil {
			w.take(s, err)
		}
	}
}
