package supervisor

import (
	"sync"
	"time"

	"github.com/coppice-go/coppice/supervisor/internal/machine"
)

// ledger remembers of the supervisor at a path what outlives it, as long as the
// root lives, whatever is deleted and rebuilt.
//
// It remembers the last incarnation at places that are gone, so that no number
// is used twice: maxGone names exactly; a name beyond that gives way by raising
// the number that all unknown names begin with. And it keeps what was counted
// there.
type ledger struct {
	mu    sync.Mutex // protects what follows
	names map[string]uint64
	floor uint64
	under map[string]*ledger // of the children that are supervisors, by name
	gone  map[string]*Counts // of places that are gone; see Status.Gone

	life     *machine.Machine // the last life, whose children keep their numbers
	settled  bool             // what that life has counted is counted above
	gaveUp   uint64           // how often all lives gave up
	starting time.Duration    // how long the last start took
	stopping time.Duration    // how long the last stop took
}

// maxGone bounds the names of children that came and went.
const maxGone = 1024

// sub is the ledger of the child of that name, which is a supervisor.
func (l *ledger) sub(name string) *ledger {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.under[name]
	if s == nil {
		s = new(ledger)
		if l.under == nil {
			l.under = map[string]*ledger{}
		}
		l.under[name] = s
	}
	return s
}

// last is the last incarnation of the child of that name.
func (l *ledger) last(name string) uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n, ok := l.names[name]; ok {
		return n
	}
	return l.floor
}

// keep remembers a child that came and went, and all below it.
func (l *ledger) keep(c *machine.Child) {
	l.mu.Lock()
	defer l.mu.Unlock()
	counts := c.Counts()
	l.bury("*", &counts)
	if sub := l.under[c.Name]; sub != nil {
		sub.settle("*", l.bury)
	}
	if len(l.names) < maxGone {
		l.put(c.Name, c.Incarnation)
		return
	}
	l.floor = max(l.floor, c.Incarnation)
}

// bury adds to what was counted at places that are gone.
func (l *ledger) bury(place string, n *Counts) {
	at := l.gone[place]
	if at == nil && len(l.gone) >= maxGone {
		place = "*"
		at = l.gone[place]
	}
	if at == nil {
		at = new(Counts)
		if l.gone == nil {
			l.gone = map[string]*Counts{}
		}
		l.gone[place] = at
	}
	at.Add(n)
}

// settle hands over all that was counted at and below a supervisor that is
// gone: at is its path, with a * for the names of what is gone.
func (l *ledger) settle(at string, bury func(string, *Counts)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	bury(at, &Counts{GaveUp: l.gaveUp})
	l.gaveUp = 0
	for place, n := range l.gone {
		bury(at+"/"+place, n)
	}
	l.gone = nil
	if l.life != nil && !l.settled {
		l.settled = true
		l.life.Each(func(c *machine.Child) bool {
			n := c.Counts()
			bury(at+"/"+nameIn(l.life, c), &n)
			return true
		})
	}
	for name, sub := range l.under {
		if l.life != nil && l.life.Dynamic {
			name = "*"
		}
		sub.settle(at+"/"+name, bury)
	}
}

// nameIn is what a child of m is called that is gone.
func nameIn(m *machine.Machine, c *machine.Child) string {
	if m.Dynamic {
		return "*"
	}
	return c.Name
}

// began takes note of how long the start of all children took.
func (l *ledger) began(took time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.starting = took
}

// quit takes note that the supervisor gives up.
func (l *ledger) quit() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.gaveUp++
}

// close remembers the children of a life that is over, and how long its stop
// took.
func (l *ledger) close(m *machine.Machine, took time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.life, l.settled, l.stopping = m, false, took
}

// open gives the children of a new life the numbers of the one before, and
// remembers those that it does not have.
func (l *ledger) open(m *machine.Machine) {
	l.mu.Lock()
	before, settled := l.life, l.settled
	l.mu.Unlock()
	if before == nil {
		return
	}
	before.Each(func(c *machine.Child) bool {
		now := m.Lookup(c.Name)
		switch {
		case now == nil:
			l.keep(c)
		case settled:
			now.Follow(c.Incarnation)
		default:
			now.Inherit(c)
		}
		return true
	})
	m.Each(func(c *machine.Child) bool {
		c.Follow(l.last(c.Name))
		return true
	})
}

// opened lets go of the life before, once the new one can be seen.
func (l *ledger) opened() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.life = nil
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

// total adds to s, which describes the supervisor, what outlives it.
func (l *ledger) total(s *Status) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s.Counts.GaveUp, s.Starting, s.Stopping = l.gaveUp, l.starting, l.stopping
	if len(l.gone) > 0 {
		s.Gone = make(map[string]Counts, len(l.gone))
		for place, n := range l.gone {
			s.Gone[place] = *n
		}
	}
}

// describe shows in s the supervisor that lived last and lives no more, or not
// yet again.
func (l *ledger) describe(t *tree, s *Status) {
	l.total(s)
	l.mu.Lock()
	var all []seen
	if m := l.life; m != nil && !l.settled {
		s.Strategy, s.Intensity, s.Dynamic = m.Strategy, m.Intensity, m.Dynamic
		m.Each(func(c *machine.Child) bool {
			all = append(all, see(m, c, t.now()))
			return true
		})
	}
	l.mu.Unlock()
	s.Former = make([]Status, len(all))
	for i := range all {
		s.Former[i] = t.status(s.Path, &all[i])
		if s.Former[i].Supervisor {
			l.sub(s.Former[i].Name).describe(t, &s.Former[i])
		}
	}
}
