package metrics

import (
	"strings"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/strategies"
	"github.com/coppice-go/coppice/supervisor"
)

// states is how many states there are.
const states = int(supervisor.Exited) + 1

// tally is how many children are in each state.
type tally [states]int

// place is what is shown under one path: a place in the tree, or all that share
// the path of a template, or all that are beyond the limit.
type place struct {
	path     string
	members  int // places that are there; without any, only counters are shown
	counts   supervisor.Counts
	states   tally
	backoff  time.Duration
	next     time.Time // the earliest
	started  time.Time // the oldest
	lastExit time.Time // the newest
	ping     time.Duration
	used     *use // nil if it has no process

	supervisors int // members that are supervisors
	window      int
	limit       int // strategies.Unlimited for none
	children    tally
	starting    time.Duration
	stopping    time.Duration
}

// add adds a place of the tree.
func (p *place) add(s *supervisor.Status) {
	p.members++
	p.counts.Add(&s.Counts)
	p.states[s.State]++
	p.backoff = max(p.backoff, s.Wait)
	if !s.NextAttempt.IsZero() && (p.next.IsZero() || s.NextAttempt.Before(p.next)) {
		p.next = s.NextAttempt
	}
	if s.State == supervisor.Running && (p.started.IsZero() || s.Since.Before(p.started)) {
		p.started = s.Since
	}
	if n := len(s.Deaths); n > 0 && s.Deaths[n-1].At.After(p.lastExit) {
		p.lastExit = s.Deaths[n-1].At
	}
	if s.Vitals != nil {
		p.ping = max(p.ping, s.Vitals.Ping)
	}
	if s.Supervisor {
		p.addSupervisor(s)
	}
}

// addSupervisor adds what only a supervisor has.
func (p *place) addSupervisor(s *supervisor.Status) {
	p.supervisors++
	window := 0
	if !s.Intensity.Each {
		window = s.WindowRestarts
	}
	for i := range s.Children {
		p.children[s.Children[i].State]++
		if s.Intensity.Each {
			window = max(window, s.Children[i].WindowRestarts)
		}
	}
	p.window = max(p.window, window)
	if p.limit != strategies.Unlimited {
		p.limit = max(p.limit, s.Intensity.Restarts)
	}
	if s.Intensity.Restarts == strategies.Unlimited {
		p.limit = strategies.Unlimited
	}
	p.starting, p.stopping = max(p.starting, s.Starting), max(p.stopping, s.Stopping)
}

// up is how many members have a run that was not told to stop.
func (p *place) up() int { return p.states[supervisor.Starting] + p.states[supervisor.Running] }

// beyond is the path of all that is beyond the limit.
const beyond = "*"

// atlas divides the tree into places: one for each path, one for all children
// of a template, and one for all that is beyond the limit. A path keeps its
// place for ever, so that no counter jumps.
type atlas struct {
	limit int
	own   map[string]struct{} // the paths that have a place of their own
	most  supervisor.Counts   // what was counted beyond the limit, never less

	places []*place
	shared map[string]*place
	slab   []place
}

// draw makes the places of a snapshot.
func (a *atlas) draw(snap *supervisor.Snapshot, used map[string]*use) []*place {
	a.places, a.shared = make([]*place, 0, len(a.own)+16), map[string]*place{}
	a.visit(&snap.Root, snap.Root.Path, false, true)
	if p := a.shared[beyond]; p != nil {
		raise(&a.most, &p.counts)
		p.counts = a.most
	}
	for path, u := range used {
		if path == beyond {
			continue
		}
		if _, own := a.own[path]; !own {
			a.shared[beyond].use(u)
		}
	}
	for _, p := range a.places {
		if u := used[p.path]; u != nil {
			p.use(u)
		}
	}
	return a.places
}

// use adds what processes use.
func (p *place) use(u *use) {
	if p == nil {
		return
	}
	if p.used == nil {
		p.used = new(use)
	}
	p.used.add(u)
}

// visit adds s, whose place is called path, and all below it. Several places
// may share the path. Of what is not there, only the counts are added.
func (a *atlas) visit(s *supervisor.Status, path string, shared, there bool) {
	p := a.at(path, shared)
	if there {
		p.add(s)
	} else {
		p.counts.Add(&s.Counts)
	}
	for i := range s.Children {
		a.visit(&s.Children[i], below(path, s, i), shared || s.Dynamic, there)
	}
	for i := range s.Former {
		name := s.Former[i].Name
		if s.Dynamic {
			name = "*"
		}
		a.visit(&s.Former[i], path+"/"+name, shared || s.Dynamic, false)
	}
	for rel, n := range s.Gone {
		a.at(path+"/"+rel, true).counts.Add(&n)
	}
}

// below is the path of the child i of s, whose own place is called path.
func below(path string, s *supervisor.Status, i int) string {
	if s.Dynamic {
		return path + "/*"
	}
	if c := &s.Children[i]; len(c.Path) == len(path)+1+len(c.Name) && strings.HasPrefix(c.Path, path) {
		return c.Path // the usual case, without making a string
	}
	return path + "/" + s.Children[i].Name
}

// at is the place of that path, which several may share.
func (a *atlas) at(path string, shared bool) *place {
	if p := a.shared[path]; p != nil {
		return p
	}
	if _, own := a.own[path]; !own {
		if len(a.own) >= a.limit {
			path, shared = beyond, true
		} else {
			a.own[path] = struct{}{}
		}
	}
	if p := a.shared[path]; p != nil {
		return p
	}
	p := a.make(path)
	if shared {
		a.shared[path] = p
	}
	return p
}

// make makes a place.
func (a *atlas) make(path string) *place {
	if len(a.slab) == 0 {
		a.slab = make([]place, 64)
	}
	p := &a.slab[0]
	a.slab = a.slab[1:]
	p.path = path
	a.places = append(a.places, p)
	return p
}

// raise makes n at least what o has counted.
func raise(n, o *supervisor.Counts) {
	n.Starts = max(n.Starts, o.Starts)
	n.TemporaryFailures = max(n.TemporaryFailures, o.TemporaryFailures)
	n.PermanentFailures = max(n.PermanentFailures, o.PermanentFailures)
	for i := range child.Causes {
		n.Restarts[i] = max(n.Restarts[i], o.Restarts[i])
		n.Exits[i] = max(n.Exits[i], o.Exits[i])
	}
	n.Kills = max(n.Kills, o.Kills)
	n.Overdue = max(n.Overdue, o.Overdue)
	n.GaveUp = max(n.GaveUp, o.GaveUp)
}
