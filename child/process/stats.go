package process

import (
	"context"
	"errors"
	"iter"
	"os"
	"strconv"
	"sync"
	"time"
)

// Stats is what a process uses at one time. It is a plain value.
type Stats struct {
	// Time is when it was read.
	Time time.Time
	// Process is what the process uses, without its descendants.
	Process Use
	// Tree is what the process, its group and its descendants use together, as
	// far as they can be found: a process that has left the group, and whose
	// parent has ended, is not.
	Tree Use
	// Processes is how many there are in the tree, zombies aside.
	Processes int
}

// Use is what one process, or several together, use. It is a plain value.
type Use struct {
	// CPU is the processor time, in the programs and in the kernel, since the
	// start of the run. That of a tree holds what those have used that have
	// ended, and never goes down.
	CPU time.Duration
	// Share is how many processors were used since the sample before by the
	// same listener, or the same method, or else since the start: 0.5 is half
	// of one. The system counts in hundredths of a second: a sample less than
	// half a [MinInterval] after the one before has the share of that, and does
	// not count as one before.
	Share float64
	// Memory is the resident memory in bytes. Pages that several processes
	// share count for each of them.
	Memory uint64
	// Descriptors is how many are open, or -1 if the system does not tell.
	Descriptors int
	// Threads is how many there are.
	Threads int
}

const (
	// MinInterval is the shortest time between two samples for a listener.
	MinInterval = 100 * time.Millisecond
	// usualInterval is the interval of those who do not care.
	usualInterval = 5 * time.Second
)

// errHidden is the answer where /proc hides the processes of other users.
var errHidden = errors.New("process: the system does not show it")

// Stats is a sample of the process and its tree, taken now. After the end it
// is [ErrEnded]; on systems other than Linux [errors.ErrUnsupported].
func (h *Handle) Stats() (Stats, error) {
	s, err := h.sample()
	if err != nil {
		return Stats{}, err
	}
	return h.measured().meter.mark(s), nil
}

// sample is a sample without shares.
func (h *Handle) sample() (Stats, error) {
	if !canSample {
		return Stats{}, errors.ErrUnsupported
	}
	if h.over() {
		return Stats{}, ErrEnded
	}
	all, err := sample([]*Handle{h})
	if err != nil {
		return Stats{}, err
	}
	if s, ok := all[h]; ok {
		return s, nil
	}
	if _, err := os.Stat("/proc/" + strconv.Itoa(h.PID())); err != nil && !h.over() {
		return Stats{}, errHidden
	}
	return Stats{}, ErrEnded
}

// over reports whether the process has ended, or is no longer looked after.
func (h *Handle) over() bool { return !h.Alive() || h.done.isClosed() }

// Watch are samples of the process and its tree: one now, and then one at each
// multiple of the interval, until the process has ended or ctx ends. Zero is
// five seconds, less than [MinInterval] is that. All listeners of this program
// with the same interval are served together, by one pass over /proc, and
// nothing is read while there are none. One that is slow gets the newest
// sample and holds up nobody. Where Stats is an error, Watch is empty.
func (h *Handle) Watch(ctx context.Context, interval time.Duration) iter.Seq[Stats] {
	return func(yield func(Stats) bool) {
		if ctx.Err() != nil {
			return
		}
		m := meter{last: Stats{Time: h.Began()}}
		s, err := h.sample()
		if err != nil || !yield(m.mark(s)) {
			return
		}
		newest := make(chan Stats, 1)
		w := theSampler.add(h, interval, func(s Stats, err error) {
			if err != nil {
				return
			}
			select { // nobody else sends
			case <-newest:
			default:
			}
			newest <- s
		})
		defer theSampler.remove(w)
		for {
			select {
			case s := <-newest:
				if !yield(m.mark(s)) {
					return
				}
			case <-h.exited():
				return
			case <-h.done.done():
				return
			case <-ctx.Done():
				return
			}
		}
	}
}

// Sample is a sample of every process that this program runs, by one pass over
// /proc: for a collector of metrics. A process that ends meanwhile is left
// out. Its shares are since the last call of Stats or Sample. On systems other
// than Linux it is [errors.ErrUnsupported].
func Sample() (map[*Handle]Stats, error) {
	if !canSample {
		return nil, errors.ErrUnsupported
	}
	handles := running.list()
	if len(handles) == 0 {
		return nil, nil
	}
	all, err := sample(handles)
	for h, s := range all {
		all[h] = h.measured().meter.mark(s)
	}
	return all, err
}

// usage is what is kept between samples.
type usage struct {
	tree  tree  // what has been seen of its processes
	meter meter // of whoever asks for a sample
}

// measured is the handle's usage, made at the first need.
func (h *Handle) measured() *usage {
	if u := h.usage.Load(); u != nil {
		return u
	}
	u := &usage{meter: meter{last: Stats{Time: h.Began()}}}
	if h.usage.CompareAndSwap(nil, u) {
		return u
	}
	return h.usage.Load()
}

// A meter tells the share of a processor between two samples.
type meter struct {
	mu   sync.Mutex // protects last
	last Stats
}

// mark is s with its shares since the sample before.
func (m *meter) mark(s Stats) Stats {
	m.mu.Lock()
	defer m.mu.Unlock()
	span := s.Time.Sub(m.last.Time)
	if span < MinInterval/2 {
		s.Process.Share, s.Tree.Share = m.last.Process.Share, m.last.Tree.Share
		return s
	}
	s.Process.Share = float64(s.Process.CPU-m.last.Process.CPU) / float64(span)
	s.Tree.Share = float64(s.Tree.CPU-m.last.Tree.CPU) / float64(span)
	m.last = s
	return s
}
