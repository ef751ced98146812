package process

import (
	"bytes"
	"sync"
)

// A queue stands between a pump and a sink that may be slower: what does not
// fit is dropped, so that the program is never held up. It has a goroutine
// while something is in it.
type queue struct {
	pump *pump

	mu    sync.Mutex // protects what follows
	lines []line
	busy  bool // the goroutine of drain lives
	over  bool // nothing more comes
}

func (q *queue) add(l line) {
	l.text = bytes.Clone(l.text) // the reader uses its own again
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.lines) == backlog {
		q.pump.journal.counts[q.pump.index].dropped.Add(uint64(len(l.text)))
		q.pump.dropped++
		return
	}
	q.lines = append(q.lines, l)
	q.wake()
}

// finish ends the pump when all has been delivered.
func (q *queue) finish() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.over = true
	q.wake()
}

func (q *queue) wake() {
	if !q.busy {
		q.busy = true
		go q.drain()
	}
}

// drain delivers until there is nothing left.
func (q *queue) drain() {
	for {
		q.mu.Lock()
		if len(q.lines) == 0 {
			q.busy = false
			over := q.over
			q.mu.Unlock()
			if over {
				q.pump.end()
			}
			return
		}
		l := q.lines[0]
		q.lines = q.lines[1:]
		q.mu.Unlock()
		q.pump.deliver(l)
	}
}
