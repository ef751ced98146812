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

// record is an event as it is held. What needs making is made by those who
// read it.
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
	exit        child.Exit // if what happened has one
}

// missed is what is told of events that are gone; restarts holds their number.
const missed machine.What = 1<<8 - 1

const (
	// chunkSize is how many records are made at once.
	chunkSize = 64
	// held is how many chunks are kept for those who come late.
	held = 32
)

// chunk is a piece of the list of events. A record that is told, one below n,
// does not change while somebody reads the chunk, so that it is read without a
// lock. A chunk that has fallen off and that nobody reads is used again.
type chunk struct {
	first   atomic.Uint64 // the number of its first record
	n       atomic.Uint64 // how many of its records are told
	readers atomic.Int32
	next    atomic.Pointer[chunk]
	gone    atomic.Bool // it is held no longer, and next leads nowhere
	records [chunkSize]record
}

// hub holds the last events of a tree, as a list of chunks of which the oldest
// falls off. Readers neither hold up those who write nor keep more than one
// chunk from being forgotten.
type hub struct {
	last   atomic.Uint64 // the number of the newest event
	asleep atomic.Int32  // readers that wait
	lost   atomic.Uint64 // what readers have missed, each for itself
	oldest atomic.Pointer[chunk]

	mu     sync.Mutex // protects what follows
	newest *chunk
	filled uint64 // records of newest that are filled
	chunks int
	news   chan struct{}
}

func (h *hub) init() {
	h.news = make(chan struct{})
	h.newest, h.chunks = new(chunk), 1
	h.newest.first.Store(1)
	h.oldest.Store(h.newest)
}

// slot is the record of the next event, to be filled. Its caller holds the
// lock, calls tell when all are filled, and announces them without the lock.
func (h *hub) slot() *record {
	if h.filled == chunkSize {
		h.grow()
	}
	c := h.newest
	r := &c.records[h.filled]
	r.seq = c.first.Load() + h.filled
	h.filled++
	return r
}

// grow appends a chunk and lets the oldest fall off.
func (h *hub) grow() {
	h.tell()
	c := h.drop()
	if c == nil {
		c = new(chunk)
		h.chunks++
	}
	c.first.Store(h.newest.first.Load() + chunkSize)
	c.gone.Store(false)
	h.newest.next.Store(c)
	h.newest, h.filled = c, 0
}

// drop lets the oldest chunk fall off if there are enough, and returns it
// emptied if it may be used again. A reader that comes to it just now sees that
// it is gone, or is seen.
func (h *hub) drop() *chunk {
	if h.chunks < held {
		return nil
	}
	old := h.oldest.Load()
	h.oldest.Store(old.next.Load())
	old.gone.Store(true)
	old.next.Store(nil)
	if old.readers.Load() > 0 {
		h.chunks--
		return nil
	}
	old.n.Store(0)
	return old
}

// tell makes what is filled readable.
func (h *hub) tell() {
	h.newest.n.Store(h.filled)
	h.last.Store(h.newest.first.Load() + h.filled - 1)
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

// sleep is a channel that is closed at the next event.
func (h *hub) sleep() <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.asleep.Add(1)
	return h.news
}

// reader reads a hub from some number on. It has to be closed.
type reader struct {
	hub   *hub
	chunk *chunk // what it reads, and so keeps from being used again
	next  uint64 // the number of the event to be read next
}

func (h *hub) reader(after uint64) *reader {
	r := &reader{hub: h, next: after + 1}
	r.oldest()
	return r
}

// enter makes c the chunk that is read, unless it has gone meanwhile, or is
// used again for other events than those from first on.
func (r *reader) enter(c *chunk, first uint64) bool {
	c.readers.Add(1)
	if c.gone.Load() || c.first.Load() != first {
		c.readers.Add(-1)
		return false
	}
	r.close()
	r.chunk = c
	return true
}

// oldest goes to the oldest chunk that is held. The number is read while it is
// the oldest: a moment later it may be used again as the newest, and to begin
// with that would be to miss all that is held.
func (r *reader) oldest() {
	for {
		c := r.hub.oldest.Load()
		first := c.first.Load()
		if r.hub.oldest.Load() == c && r.enter(c, first) {
			return
		}
	}
}

func (r *reader) close() {
	if r.chunk != nil {
		r.chunk.readers.Add(-1)
	}
}

// batch is what there is to read, at most a chunk; it is good until the next
// call. Where something is gone it is one record with the count of that.
func (r *reader) batch() []record {
	for {
		c := r.chunk
		first := c.first.Load()
		if r.next < first {
			lost := record{seq: first - 1, what: missed, restarts: first - r.next}
			r.next = first
			r.hub.lost.Add(lost.restarts)
			return []record{lost}
		}
		if told := first + c.n.Load(); r.next < told {
			from := r.next - first
			r.next = told
			return c.records[from : told-first]
		}
		switch next := c.next.Load(); {
		case next != nil && r.next >= first+chunkSize:
			if !r.enter(next, first+chunkSize) {
				r.oldest()
			}
		case c.gone.Load():
			r.oldest()
		default:
			return nil
		}
	}
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
