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
// does not change any more, so that it is read without a lock.
type chunk struct {
	first   uint64        // the number of its first record
	n       atomic.Uint64 // how many of its records are told
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
	oldest atomic.Pointer[chunk]

	mu     sync.Mutex // protects what follows
	newest *chunk
	filled uint64 // records of newest that are filled
	chunks int
	news   chan struct{}
}

func (h *hub) init() {
	h.news = make(chan struct{})
	h.newest, h.chunks = &chunk{first: 1}, 1
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
	r.seq = c.first + h.filled
	h.filled++
	return r
}

// grow appends a chunk and lets the oldest fall off.
func (h *hub) grow() {
	h.tell()
	c := &chunk{first: h.newest.first + chunkSize}
	h.newest.next.Store(c)
	h.newest, h.filled = c, 0
	if h.chunks++; h.chunks > held {
		h.chunks--
		old := h.oldest.Load()
		h.oldest.Store(old.next.Load())
		old.gone.Store(true)
		old.next.Store(nil)
	}
}

// tell makes what is filled readable.
func (h *hub) tell() {
	h.newest.n.Store(h.filled)
	h.last.Store(h.newest.first + h.filled - 1)
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

// reader reads a hub from some number on.
type reader struct {
	hub   *hub
	chunk *chunk
	next  uint64 // the number of the event to be read next
}

func (h *hub) reader(after uint64) *reader {
	return &reader{hub: h, chunk: h.oldest.Load(), next: after + 1}
}

// batch is what there is to read, at most a chunk. Where something is gone it
// is one record with the count of that.
func (r *reader) batch() []record {
	for {
		c := r.chunk
		if r.next < c.first {
			lost := record{seq: c.first - 1, what: missed, restarts: c.first - r.next}
			r.next = c.first
			return []record{lost}
		}
		if told := c.first + c.n.Load(); r.next < told {
			from := r.next - c.first
			r.next = told
			return c.records[from : told-c.first]
		}
		switch next := c.next.Load(); {
		case next != nil && r.next >= next.first:
			r.chunk = next
		case c.gone.Load():
			r.chunk = r.hub.oldest.Load()
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
