package supervisor

import (
	"sync"
	"sync/atomic"
	"time"
)

// tree is what all supervisors under one root share, over all lives of the
// root.
type tree struct {
	options Options
	epoch   time.Time // the zero of all times in it
	root    atomic.Pointer[node]
	hub     hub
	log     logger
	offers  offers
	left    leftovers
	watch   watch
	asking  asking
	ledger  ledger // the root's

	draining atomic.Bool // it was told to stop, and waits before it does
}

func newTree(o Options) *tree {
	// The zero of time stands for never, so nothing happens at it.
	t := &tree{options: o, epoch: time.Now().Add(-1)}
	t.hub.init()
	t.offers.changed = make(chan struct{})
	t.log.init(t)
	t.watch.tree = t
	return t
}

// now is the time since the epoch, by the monotonic clock.
func (t *tree) now() time.Duration { return time.Since(t.epoch) }

// wall is that moment as a time.
func (t *tree) wall(at time.Duration) time.Time { return t.epoch.Add(at) }

// leftovers are the runs that outlived their supervisor: nobody may start a
// successor at their path.
type leftovers struct {
	some atomic.Int32
	mu   sync.Mutex // protects runs
	runs map[string]*run
}

func (l *leftovers) at(path, name string) bool {
	if l.some.Load() == 0 {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.runs[path+"/"+name] != nil
}

func (l *leftovers) add(r *run) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.runs == nil {
		l.runs = map[string]*run{}
	}
	l.runs[r.Path()] = r
	l.some.Store(int32(len(l.runs)))
}

func (l *leftovers) remove(r *run) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if path := r.Path(); l.runs[path] == r {
		delete(l.runs, path)
	}
	l.some.Store(int32(len(l.runs)))
}
