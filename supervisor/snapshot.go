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

// Status is where a place in the tree stands. It is a plain value.
type Status struct {
	// Name and Path say which place it is.
	Name, Path string
	// Supervisor says that it is a supervisor's.
	Supervisor bool
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
	// Children are a supervisor's children in start order, if it runs.
	Children []Status
}

// A Death is how one run ended.
type Death struct {
	// Exit is the end.
	Exit child.Exit
	// At is when it came.
	At time.Time
	// Lived is how long the run lived from when it was ready, zero if it never was.
	Lived time.Duration
	// Incarnation is the number of the run.
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
	// Root is the root. Its Children are empty before the first Serve.
	Root Status
}

// Snapshot shows the tree, each supervisor at one moment. It holds up nobody
// for longer than copying one supervisor's children takes, and waits for no
// start and no stop.
func (s *Supervisor) Snapshot() Snapshot {
	t := s.tree
	snap := Snapshot{Seq: t.hub.last.Load(), Time: time.Now()}
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
		all = append(all, n.see(c, now))
		return true
	})
	n.mu.Unlock()
	s.Children = make([]Status, len(all))
	for i := range all {
		s.Children[i] = n.status(&all[i])
		if r := all[i].run; r != nil {
			r.tell(&s.Children[i], deep)
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
	}
}

// see copies a child. Its caller holds the lock.
func (n *node) see(c *machine.Child, now time.Duration) seen {
	s := seen{child: c, incarnation: c.Incarnation, since: c.Since, state: c.State, told: c.Told}
	if c.Live() {
		s.run, _ = c.Run.(*run)
	}
	if c.Past != nil {
		past := *c.Past
		s.deaths = past.Deaths()
		s.past, s.count = &past, c.WindowCount(now, n.m.Intensity)
	}
	return s
}

// status makes a Status of what was seen.
func (n *node) status(s *seen) Status {
	c := s.child
	st := Status{
		Name: c.Name, Path: n.path + "/" + c.Name, Supervisor: c.Policy.Supervisor, State: State(s.state),
		Since: n.tree.wall(s.since), Incarnation: s.incarnation, WindowRestarts: s.count,
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
	st.Restarts = p.Restarts
	st.Deaths = make([]Death, len(s.deaths))
	for i, d := range s.deaths {
		st.Deaths[i] = Death{Exit: d.Exit, At: n.tree.wall(d.At), Lived: d.Lived, Incarnation: d.Incarnation}
	}
	if s.state == machine.Restarting {
		st.NextAttempt, st.Wait = n.tree.wall(p.Next), p.Wait
	}
	return st
}
