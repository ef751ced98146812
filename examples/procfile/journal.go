package main

import (
	"context"
	"iter"
	"sync"
	"time"
)

// kept is how many lines a journal holds.
const kept = 2000

// A line is what somebody printed. Its Text has no newline.
type line struct {
	Time time.Time `json:"time"`
	// Name is the process, or system for what we ourselves have to say.
	Name   string `json:"name"`
	Text   string `json:"text"`
	Missed uint64 `json:"missed,omitempty"`
}

// A journal holds the last lines of all processes, over their restarts. Who
// reads it holds up nobody, and misses lines if it is too slow.
type journal struct {
	mu   sync.Mutex
	ring [kept]line
	// next is the number of the next line; the one numbered n is at n % kept.
	next  uint64
	added chan struct{} // closed when there is a next line
}

func newJournal() *journal { return &journal{added: make(chan struct{})} }

func (j *journal) add(l line) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.ring[j.next%kept] = l
	j.next++
	close(j.added)
	j.added = make(chan struct{})
}

// read copies the lines from number n on. The channel closes when there are
// more.
func (j *journal) read(n uint64) (lines []line, missed, next uint64, added <-chan struct{}) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.next > kept && n < j.next-kept {
		missed = j.next - kept - n
		n += missed
	}
	for ; n < j.next; n++ {
		lines = append(lines, j.ring[n%kept])
	}
	return lines, missed, n, j.added
}

// lines yields the last lines that are wanted, at most so many, and with follow
// those that come, until ctx ends.
func (j *journal) lines(ctx context.Context, wanted func(name string) bool, last int, follow bool) iter.Seq[line] {
	return func(yield func(line) bool) {
		lines, _, next, added := j.read(0)
		lines = tail(lines, wanted, last)
		for {
			for _, l := range lines {
				if wanted(l.Name) && !yield(l) {
					return
				}
			}
			if !follow {
				return
			}
			select {
			case <-ctx.Done():
				follow = false // what is there already is still told
			case <-added:
			}
			var missed uint64
			lines, missed, next, added = j.read(next)
			if missed > 0 && !yield(line{Time: time.Now(), Name: system, Missed: missed}) {
				return
			}
		}
	}
}

// tail are the last lines that are wanted.
func tail(lines []line, wanted func(string) bool, last int) []line {
	for i := len(lines) - 1; i >= 0; i-- {
		if !wanted(lines[i].Name) {
			continue
		}
		if last--; last < 0 {
			return lines[i+1:]
		}
	}
	return lines
}
