package process

import (
	"sync"
	"sync/atomic"
	"time"
)

// A Line is a piece of a program's output: a line, or a part of one.
type Line struct {
	// Time is when it was read.
	Time time.Time
	// Seq numbers the pieces of one run, of all its streams, from 1.
	Seq uint64
	// Stream is the label of the stream: stdout and stderr, unless its Output
	// says otherwise.
	Stream string
	// Text is the piece without its newline: the program's own bytes.
	Text string
	// Split says that the line goes on in the next piece of the stream.
	Split bool
	// Partial says that the stream ended before the line did.
	Partial bool
	// Missed is how many pieces before this one a listener did not get,
	// because it was slow.
	Missed uint64
}

// backlog is how many lines wait for a listener.
const backlog = 256

// journal keeps the last lines of a process and tells listeners of new ones.
// Nothing here waits for anybody.
type journal struct {
	counts [2]counts    // by stream
	heard  atomic.Int64 // when something was printed last, from epoch
	signs  *signs       // of which one may be a line

	mu        sync.Mutex // protects what follows
	seq       uint64
	tails     [2]tail
	listeners map[*listener]struct{} // nil once the run is over
	over      bool
	pumps     int   // that have not delivered everything
	empty     latch // closed when there are none any more
}

// counts is what one stream has brought.
type counts struct{ bytes, lines, dropped atomic.Uint64 }

// Volume is how much a stream has brought so far.
type Volume struct {
	// Bytes and Lines are what has been read; a line that had to be split
	// counts for each piece.
	Bytes, Lines uint64
	// Dropped is how many of the bytes were not delivered: too many for the
	// Rate, or refused by the Writer, or left over at the end.
	Dropped uint64
}

// Volumes are how much the process has printed, by stream. With one pipe for
// both it is all in the first.
func (h *Handle) Volumes() (stdout, stderr Volume) {
	c := &h.proc.journal.counts
	return c[0].volume(), c[1].volume()
}

func (c *counts) volume() Volume {
	return Volume{c.bytes.Load(), c.lines.Load(), c.dropped.Load()}
}

// add takes a piece of stream i.
func (j *journal) add(i int, name string, l line) {
	text := l.text
	if l.ended {
		text = text[:len(text)-1]
	}
	if l.ended || l.last {
		j.signs.look(text)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.seq++
	line := Line{Time: time.Now(), Seq: j.seq, Stream: name, Split: !l.ended && !l.last, Partial: l.last}
	if len(j.listeners) > 0 {
		line.Text = string(text)
		for l := range j.listeners {
			l.add(line)
		}
	}
	j.tails[i].add(line, text)
}

// last are the last lines of all streams in the order of their numbers. Its
// caller holds the lock.
func (j *journal) last() (all []Line) {
	a, b := j.tails[0].lines(), j.tails[1].lines()
	for len(a) > 0 || len(b) > 0 {
		if len(b) == 0 || len(a) > 0 && a[0].Seq < b[0].Seq {
			all, a = append(all, a[0]), a[1:]
		} else {
			all, b = append(all, b[0]), b[1:]
		}
	}
	return all
}

// join counts a pump, before any of them runs.
func (j *journal) join() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.pumps++
}

// delivered is what a pump says at its end.
func (j *journal) delivered() {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.pumps--; j.pumps == 0 {
		j.empty.close()
	}
}

// await returns when everything has been delivered, or when that takes too
// long.
func (j *journal) await(most time.Duration) {
	j.mu.Lock()
	none := j.pumps == 0
	j.mu.Unlock()
	if none {
		return
	}
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-j.empty.done():
	case <-timer.C:
	}
}

// close ends the listeners: nothing more comes.
func (j *journal) close() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.over = true
	for l := range j.listeners {
		l.end()
	}
	j.listeners = nil
}

// A listener gets the lines of a process in its own time. It holds up nobody:
// what it does not take falls off at the old end.
type listener struct {
	stream string // the label it wants; empty is all
	mu     sync.Mutex
	queue  []Line
	missed uint64
	over   bool
	news   chan struct{} // has room for one
}

// listen makes a listener that begins with the last lines.
func (j *journal) listen(stream string) *listener {
	l := &listener{stream: stream, news: make(chan struct{}, 1)}
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, line := range j.last() {
		l.add(line)
	}
	if j.over {
		l.end()
		return l
	}
	if j.listeners == nil {
		j.listeners = map[*listener]struct{}{}
	}
	j.listeners[l] = struct{}{}
	return l
}

func (j *journal) leave(l *listener) {
	j.mu.Lock()
	defer j.mu.Unlock()
	delete(j.listeners, l)
}

func (l *listener) add(line Line) {
	if l.stream != "" && l.stream != line.Stream {
		return
	}
	l.mu.Lock()
	if len(l.queue) == backlog {
		l.queue = l.queue[1:]
		l.missed++
	}
	l.queue = append(l.queue, line)
	l.mu.Unlock()
	l.tell()
}

func (l *listener) end() {
	l.mu.Lock()
	l.over = true
	l.mu.Unlock()
	l.tell()
}

func (l *listener) tell() {
	select {
	case l.news <- struct{}{}:
	default:
	}
}

// take is what there is, and whether nothing more comes.
func (l *listener) take() (lines []Line, over bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	lines, l.queue = l.queue, nil
	if len(lines) > 0 {
		lines[0].Missed, l.missed = l.missed, 0
	}
	return lines, l.over
}
