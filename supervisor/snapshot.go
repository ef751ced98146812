package supervisor

import (
	"iter"
	"strconv"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/strategies"
	"github.com/coppice-go/coppice/supervisor/internal/machine"
)

// State is where a child stands. The zero value is [Down].
type State uint8

const (
	// Down: the child has a place and does not run (OTP's undefined).
	Down = State(machine.Down)
	// Starting: it runs, and its start is not complete.
	Starting = State(machine.Starting)
	// Running: its start is complete.
	Running = State(machine.Running)
	// Restarting: it waits for its next start.
	Restarting = State(machine.Restarting)
	// Stopping: it was told to stop and still runs.
	Stopping = State(machine.Stopping)
	// Stuck: it was killed and still runs.
	Stuck = State(machine.Stuck)
	// Exited: it has ended, and its supervisor, which is still starting
	// others, has not yet acted on that.
	Exited = State(machine.Dead)
)

var stateWords = [...]string{
	Down: "down", Starting: "starting", Running: "running", Restarting: "restarting",
	Stopping: "stopping", Stuck: "stuck", Exited: "exited",
}

// String is the constant's name in lower case.
func (s State) String() string {
	if int(s) < len(stateWords) {
		return stateWords[s]
	}
	return "State(" + strconv.Itoa(int(s)) + ")"
}

// MarshalText is [State.String].
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Count is OTP's count_children: how many specs there are, how many children
// have a live run, and how many are supervisors and workers, running or not. A
// dynamic supervisor has one spec.
type Count = machine.Count

// Counts is how often something has happened at a place, or at several. All of
// it is exact: every run that begins and every one that ends counts once. A
// failed start is an exit too. It is a plain value.
type Counts = machine.Counts

// Status is where a place in the tree stands. It is a plain value.
type Status struct {
	// Name and Path say which place it is.
	Name, Path string
	// Supervisor says that it is a supervisor's.
	Supervisor bool
	// Dynamic says that the supervisor has a Template.
	Dynamic bool
	// Readiness says that its spec has a Ready.
	Readiness bool
	// State is where it stands.
	State State
	// Since is when that began. For one that runs it is when its start was
	// complete, for one that is stuck when it was told to stop.
	Since time.Time
	// Incarnation is the number of the run that lives, or of the last one.
	Incarnation uint64
	// Restarts is how often it was restarted automatically.
	Restarts uint64
	// Reason is why it was told to stop, while State is Stopping or Stuck.
	Reason child.Reason
	// Deaths are how its last runs ended, if they failed or ended by
	// themselves: at most ten, the oldest first.
	Deaths []Death
	// Held says that [Ref.Hold] has stopped it.
	Held bool
	// Counts is how often something has happened at the place since it was
	// made; it goes on when a supervisor above is restarted.
	Counts Counts
	// Facts are what its run tells of itself, if it is a process.
	Facts child.Facts
	// NextAttempt is when it will be started, while State is Restarting.
	NextAttempt time.Time
	// Wait is the delay that NextAttempt comes from.
	Wait time.Duration
	// WindowRestarts is how many restarts the window holds: the child's own,
	// or that of a supervisor whose children share one.
	WindowRestarts int
	// Vitals are the signs of life of the run that lives, nil if nobody watches
	// it.
	Vitals *Vitals
	// Strategy is a supervisor's.
	Strategy strategies.Strategy
	// Intensity is a supervisor's, its defaults applied.
	Intensity strategies.Intensity
	// Starting is how long a supervisor's last start took, until the last child
	// was started; zero if none was complete.
	Starting time.Duration
	// Stopping is how long its last stop took, zero if there was none.
	Stopping time.Duration
	// Children are a supervisor's children in start order, if it runs.
	Children []Status
	// Former are the children that a supervisor had when it ran last, while it
	// does not run below one that does: their counts will go on. [Status.All]
	// does not yield them.
	Former []Status
	// Gone is what was counted at places below a supervisor that are no more: at
	// most about a thousand, by their paths below it, in which a * stands for
	// the names of those that went, and of a dynamic supervisor's children.
	Gone map[string]Counts
}

// A Death is how one run ended. The zero Death is that of no run. It is a plain
// value.
type Death struct {
	// Exit is the end; zero is a normal one.
	Exit child.Exit
	// At is when it came; zero only in a zero Death.
	At time.Time
	// Lived is how long the run lived from when it was ready, zero if it never was.
	Lived time.Duration
	// Incarnation is the number of the run, from 1; zero only in a zero Death.
	Incarnation uint64
}

// Last is how the last run ended, zero if none has.
func (s *Status) Last() Death {
	if len(s.Deaths) == 0 {
		return Death{}
	}
	return s.Deaths[len(s.Deaths)-1]
}

// All yields s and everything below it, each before its children.
func (s *Status) All() iter.Seq[*Status] {
	return func(yield func(*Status) bool) { s.walk(yield) }
}

func (s *Status) walk(yield func(*Status) bool) bool {
	if !yield(s) {
		return false
	}
	for i := range s.Children {
		if !s.Children[i].walk(yield) {
			return false
		}
	}
	return true
}

// Snapshot is the whole tree.
type Snapshot struct {
	// Seq is the number of the last event that it shows for certain. Those
	// after it may be shown already; see [Supervisor.Events].
	Seq uint64
	// Time is when it was begun.
	Time time.Time
	// Missed is how many events readers have missed in all, each reader's for
	// itself.
	Missed uint64
	// Draining says that the tree was told to stop and does not begin with that
	// before its [Options] Drain is over.
	Draining bool
	// Root is the root. Its Children are empty before the first Serve.
	Root Status
}

// Seq is the number of the last event: if it is that of a snapshot, nothing has
// happened since.
func (s *Supervisor) Seq() uint64 { return s.tree.hub.last.Load() }

// Snapshot shows the tree, each supervisor at one moment. It holds up nobody
// for longer than copying one supervisor's children takes, and waits for no
// start and no stop.
func (s *Supervisor) Snapshot() Snapshot {
	t := s.tree
	snap := Snapshot{Seq: t.hub.last.Load(), Time: time.Now(), Missed: t.hub.lost.Load(), Draining: t.draining.Load()}
	spec := &s.plan.spec
	snap.Root = Status{
		Name: spec.Name, Path: spec.Name, Supervisor: true, Strategy: spec.Strategy,
		Intensity: spec.Intensity.WithDefaults(), Since: t.epoch,
	}
	if n := t.root.Load(); n != nil {
		n.state(&snap.Root)
		n.describe(&snap.Root, true)
	}
	return snap
}

// state fills in the state of the root, which no parent keeps.
func (n *node) state(s *Status) {
	n.lock()
	defer n.mu.Unlock()
	s.Since = n.tree.wall(n.since)
	switch n.m.Phase() {
	case machine.Init:
		s.State = Starting
	case machine.Up:
		s.State = Running
	case machine.Ending:
		s.State = Stopping
	default:
		s.State = Down
	}
}

// seen is what has to be copied of a child under the lock.
type seen struct {
	child       *machine.Child // for what does not change
	past        *machine.Past  // a copy, if there is one
	deaths      []machine.Death
	run         *run // if it lives
	incarnation uint64
	since       time.Duration
	count       int
	state       machine.State
	told        child.Reason
}

// itself fills in what a supervisor knows of itself.
func (n *node) itself(s *Status) {
	s.Strategy, s.Intensity = n.plan.spec.Strategy, n.plan.spec.Intensity.WithDefaults()
	s.Dynamic = n.plan.spec.Template != nil
	if s.Intensity.Each {
		return
	}
	n.lock()
	defer n.mu.Unlock()
	s.WindowRestarts = n.m.WindowCount(n.tree.now())
}

// describe fills in what a supervisor knows of itself and of its children, and
// if deep is set what those know of theirs.
func (n *node) describe(s *Status, deep bool) {
	n.itself(s)
	n.lock()
	now := n.tree.now()
	all := make([]seen, 0, n.m.Len())
	n.m.Each(func(c *machine.Child) bool {
		all = append(all, see(n.m, c, now))
		return true
	})
	n.ledger.total(s) // under the same lock, so that what goes is counted once
	n.mu.Unlock()
	s.Children = make([]Status, len(all))
	for i := range all {
		st := &s.Children[i]
		*st = n.tree.status(n.path, &all[i])
		r := all[i].run
		if r != nil {
			r.tell(st, deep)
		}
		if deep && st.Supervisor && (r == nil || r.sub() == nil) {
			n.ledger.sub(st.Name).describe(n.tree, st)
		}
	}
}

// tell fills in what the run knows of itself: what it has told, or as a
// supervisor what it is, and if deep is set what is below it.
func (r *run) tell(s *Status, deep bool) {
	if r.tells() {
		s.Facts = r.node.tree.offers.facts(r)
	}
	switch sub := r.sub(); {
	case sub == nil:
	case deep:
		sub.describe(s, true)
	default:
		sub.itself(s)
		sub.ledger.total(s)
	}
}

// see copies a child of m. Its caller holds the lock.
func see(m *machine.Machine, c *machine.Child, now time.Duration) seen {
	s := seen{child: c, incarnation: c.Incarnation, since: c.Since, state: c.State, told: c.Told}
	if c.Live() {
		s.run, _ = c.Run.(*run)
	}
	if c.Past != nil {
		s.deaths = c.Past.Deaths()
		s.past, s.count = c.Past.Copy(), c.WindowCount(now, m.Intensity)
	}
	return s
}

// status makes a Status of what was seen under the supervisor above.
func (t *tree) status(above string, s *seen) Status {
	c := s.child
	st := Status{
		Name: c.Name, Path: above + "/" + c.Name, Supervisor: c.Policy.Supervisor, Readiness: c.Policy.Readiness, State: State(s.state),
		Since: t.wall(s.since), Incarnation: s.incarnation, WindowRestarts: s.count,
		Counts: machine.CountsOf(s.past, s.incarnation, s.state),
	}
	if s.state == machine.Stopping || s.state == machine.Stuck {
		st.Reason = s.told
	}
	if s.run != nil && c.Policy.Watched {
		st.Vitals = s.run.vitals()
	}
	p := s.past
	if p == nil {
		return st
	}
	st.Restarts, st.Held = p.Restarts, p.Held
	st.Deaths = make([]Death, len(s.deaths))
	for i, d := range s.deaths {
		st.Deaths[i] = Death{Exit: d.Exit, At: t.wall(d.At), Lived: d.Lived, Incarnation: d.Incarnation}
	}
	if s.state == machine.Restarting {
		st.NextAttempt, st.Wait = t.wall(p.Next), p.Wait
	}
	return st
}
