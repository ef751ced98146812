package supervisor

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/supervisor/internal/machine"
)

// record is an event as it is held: what needs making, such as the path, is
// made by those who read it.
type record struct {
	seq         uint64
	at          time.Duration
	path        string
	incarnation uint64
	restarts    uint64
	wait        time.Duration
	what        machine.What
	next        machine.Next
	reason      child.Reason
	exit        child.Exit // if what happened has one; else that of another event
}

// missed is what is told of events that are gone; restarts holds their number.
const missed machine.What = 1<<8 - 1

// held is how many events are kept for those who come late.
const held = 2048

// hub holds the last events of a tree in a ring. Writers never wait for
// readers: they overwrite.
type hub struct {
	last   atomic.Uint64 // the number of the newest event
	asleep atomic.Int32  // readers that wait

	mu   sync.Mutex // protects what follows
	ring []record   // by number modulo held, made as it fills
	news chan struct{}
}

func (h *hub) init() { h.news = make(chan struct{}) }

// slot is the record of the next event, to be filled. Its caller holds the
// lock, and announces the news when it has let go of it.
func (h *hub) slot() *record {
	seq := h.last.Load() + 1
	if len(h.ring) < held {
		h.ring = append(h.ring, record{})
	}
	r := &h.ring[(seq-1)%held]
	r.seq = seq
	h.last.Store(seq)
	return r
}

// announce wakes those who wait for news.
func (h *hub) announce() {
	if h.asleep.Load() > 0 {
		h.wake()
	}
}

// wake wakes all readers.
func (h *hub) wake() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.asleep.Store(0)
	close(h.news)
	h.news = make(chan struct{})
}

// reader reads a hub from some number on.
type reader struct {
	hub  *hub
	next uint64 // the number of the event to be read next
	buf  []record
}

func (h *hub) reader(after uint64) *reader {
	return &reader{hub: h, next: after + 1}
}

// batchSize is how many events a reader takes at once: it holds up writers for
// that long.
const batchSize = 64

// batch is what there is to read, at most batchSize. What was overwritten is
// the first record, as a count.
func (r *reader) batch() []record {
	h := r.hub
	r.buf = r.buf[:0]
	h.mu.Lock()
	defer h.mu.Unlock()
	last := h.last.Load()
	if oldest := last - uint64(len(h.ring)) + 1; r.next < oldest {
		r.buf = append(r.buf, record{seq: oldest - 1, what: missed, restarts: oldest - r.next})
		r.next = oldest
	}
	for ; r.next <= last && len(r.buf) < batchSize; r.next++ {
		r.buf = append(r.buf, h.ring[(r.next-1)%held])
	}
	return r.buf
}

// behind reports whether there is more to read.
func (r *reader) behind() bool { return r.next <= r.hub.last.Load() }

// linger is how often a reader yields before it sleeps. While events come
// faster than that, nobody has to be woken for each; and a reader that does
// not look meanwhile leaves the writers' cache lines alone.
const linger = 128

// wait waits for more to read. It reports false when ctx or done ends first.
func (r *reader) wait(ctx context.Context, done <-chan struct{}) bool {
	for range linger {
		runtime.Gosched()
	}
	if r.behind() {
		return true
	}
	news := r.hub.sleep()
	if r.behind() { // it came between the look and the lock
		return true
	}
	select {
	case <-news:
		return true
	case <-done:
		return true // one more look, then the end
	case <-ctx.Done():
		return false
	}
}

// sleep is a channel that is closed at the next event.
func (h *hub) sleep() <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.asleep.Add(1)
	return h.news
}
