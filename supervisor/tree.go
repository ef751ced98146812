package supervisor

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/coppice-go/coppice/supervisor/internal/machine"
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

	mu      sync.Mutex // protects ledgers
	ledgers map[string]*ledger
}

func newTree(o Options) *tree {
	// The zero of time stands for never, so nothing happens at it.
	t := &tree{options: o, epoch: time.Now().Add(-1), ledgers: map[string]*ledger{}}
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

// ledger is the one for the supervisor at path.
func (t *tree) ledger(path string) *ledger {
	t.mu.Lock()
	defer t.mu.Unlock()
	l := t.ledgers[path]
	if l == nil {
		l = &ledger{}
		t.ledgers[path] = l
	}
	return l
}

// ledger remembers the last incarnation at places that are gone, so that no
// number is used twice while the root lives, whatever is deleted and rebuilt.
// It remembers maxGone names exactly; a name beyond that gives way by raising
// the number that all unknown names begin with.
type ledger struct {
	mu    sync.Mutex // protects what follows
	names map[string]uint64
	floor uint64
	life  *machine.Machine // the last life, whose children keep their numbers
}

// maxGone bounds the names of children that came and went.
const maxGone = 1024

// last is the last incarnation of the child of that name.
func (l *ledger) last(name string) uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n, ok := l.names[name]; ok {
		return n
	}
	return l.floor
}

// keep remembers a child that came and went.
func (l *ledger) keep(name string, n uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.names) < maxGone {
		l.put(name, n)
		return
	}
	l.floor = max(l.floor, n)
}

// close remembers the children of a life that is over.
func (l *ledger) close(m *machine.Machine) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.life = m
}

// open gives the children of a new life the numbers of the one before, and
// remembers those that it does not have.
func (l *ledger) open(m *machine.Machine) {
	l.mu.Lock()
	before := l.life
	l.life = nil
	l.mu.Unlock()
	if before == nil {
		return
	}
	before.Each(func(c *machine.Child) bool {
		if now := m.Lookup(c.Name); now != nil {
			now.Inherit(c)
		} else {
			l.keep(c.Name, c.Incarnation)
		}
		return true
	})
	m.Each(func(c *machine.Child) bool {
		c.Incarnation = max(c.Incarnation, l.last(c.Name))
		return true
	})
}

func (l *ledger) put(name string, n uint64) {
	if n == 0 {
		return
	}
	if l.names == nil {
		l.names = map[string]uint64{}
	}
	l.names[name] = max(n, l.names[name])
}

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
