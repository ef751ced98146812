// Package machine decides what a supervisor does. It is pure: what happened
// and the time come in as values, what to do goes out as a list of actions,
// and nothing in it blocks, starts, locks or looks at a clock.
//
// One machine stands for one life of one supervisor. Its driver calls an input
// (Start, Exited, Ready, Tick, Ask, Stop, KillAll), performs the actions that
// come back in their order, and arranges to call Tick at Deadline.
//
// Three things move in it. A child has a state, and what happens to it alone
// (a delay, a patience, a grace) is a deadline of that child. What concerns
// several children in an order (the start of all, a group's restart, the stop)
// is a procedure, of which at most one runs; see op.go. And what has to wait
// until a procedure is over waits in one of three queues; see settle.
//
// The rules and differences that comments and tests name by a number are those
// of docs/OTP.md.
package machine

import (
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/strategies"
)

// Settle is how long a run may take to end after it was killed, before it is
// called stuck. A process needs a moment to die.
const Settle = 500 * time.Millisecond

// Auto is a supervisor's automatic shutdown.
type Auto uint8

// The kinds of automatic shutdown; see the package supervisor.
const (
	Never Auto = iota
	AnySignificant
	AllSignificant
)

// Config is what the machine has to know of a supervisor, defaults applied.
type Config struct {
	Strategy    strategies.Strategy
	Intensity   strategies.Intensity
	Auto        Auto
	Dynamic     bool // it has a template
	Together    bool // its children stop in parallel
	MaxChildren int  // 0 is no limit
}

// Phase is where the supervisor stands.
type Phase uint8

// The phases follow one another in this order; none comes back.
const (
	Fresh Phase = iota
	Init
	Up
	Ending
	Ended
)

// Cause says why a supervisor ended.
type Cause uint8

// The causes of an end.
const (
	Asked     Cause = iota // somebody stopped it
	Automatic              // a significant child ended
	GaveUp                 // too many restarts, an escalation, a child that does not end
	InitFailed
	Terminated // a child asked for the end of the tree
)

// End is why and through whom a supervisor ended.
type End struct {
	Cause Cause
	Child *Child // nil if Asked
	Exit  child.Exit
	// Refused says that the window refused a restart.
	Refused bool
}

// Machine is the state of one supervisor. Make it with New.
type Machine struct {
	Config
	// Random is a number in [0, 1) that the driver renews before an input, for
	// the jitter of delays.
	Random float64

	phase       Phase
	now         time.Duration
	kids        []*Child          // in start order, with holes
	index       map[string]*Child // nil until it is needed
	size        int
	deadlines   deadlines
	window      strategies.Window
	op          op
	dead        []*Child   // their exits wait for their turn
	queue       []*Request // calls that wait for theirs
	ripe        []*Child   // their retries wait for theirs
	live        int
	supervisors int
	witness     int // in kids: a significant child that was left
	killing     bool
	blocked     bool
	end         End
	exit        child.Exit // of the input, for actions to point to
	out         []Action
}

// New is a machine for the given children in that order. Their names differ. It
// keeps the slice.
func New(c Config, kids []*Child) *Machine {
	m := &Machine{Config: c, kids: kids[:0]}
	for _, k := range kids {
		m.add(k)
	}
	return m
}

// Phase is where the supervisor stands.
func (m *Machine) Phase() Phase { return m.phase }

// End is why the supervisor ends. It is set from phase Ending on.
func (m *Machine) End() End { return m.end }

// WindowCount is how many restarts the shared window holds.
func (m *Machine) WindowCount(now time.Duration) int { return m.window.Count(now, m.Intensity) }

// Busy reports whether a procedure runs.
func (m *Machine) Busy() bool { return m.op.kind != none }

// Start begins the start of all children, in order.
func (m *Machine) Start(now time.Duration) []Action {
	m.begin(now)
	if m.phase == Fresh {
		m.phase = Init
		m.op = op{kind: initial, starting: true}
	}
	return m.settle()
}

// Ready says that the start of that incarnation of c is complete.
func (m *Machine) Ready(c *Child, incarnation uint64, now time.Duration) []Action {
	m.begin(now)
	if c.Incarnation != incarnation || c.State != Starting {
		return nil
	}
	m.started(c)
	return m.settle()
}

// Exited says how that incarnation of c ended, and what the user's code made of
// it.
func (m *Machine) Exited(c *Child, incarnation uint64, exit *child.Exit, v Verdict, now time.Duration) []Action {
	m.begin(now)
	if c.Incarnation != incarnation || !c.State.live() {
		return nil
	}
	m.exit = *exit
	m.exited(c, &m.exit, v)
	return m.settle()
}

// Fail tells that incarnation of c to stop because it failed in a way that it
// does not know itself, such as a ping without an answer.
func (m *Machine) Fail(c *Child, incarnation uint64, why child.Reason, now time.Duration) []Action {
	m.begin(now)
	if c.Incarnation == incarnation && (c.State == Running || c.State == Starting) {
		m.tell(c, why)
	}
	return m.settle()
}

// Ask makes a call. Its answer comes as an action, at once or later.
func (m *Machine) Ask(r *Request, now time.Duration) []Action {
	m.begin(now)
	m.ask(r)
	return m.settle()
}

// Stop begins the orderly stop.
func (m *Machine) Stop(now time.Duration) []Action {
	m.begin(now)
	m.shut(End{Cause: Asked})
	return m.settle()
}

// KillAll stops the supervisor and kills all that is left of it in one step.
func (m *Machine) KillAll(now time.Duration) []Action {
	m.begin(now)
	m.shut(End{Cause: Asked})
	if m.phase == Ending && !m.killing {
		m.killing = true
		m.Each(func(c *Child) bool { m.finish(c); return true })
	}
	return m.settle()
}

// Leave ends the supervisor with the runs that are stuck left behind.
func (m *Machine) Leave(now time.Duration) []Action {
	m.begin(now)
	if m.phase == Ending {
		m.Each(func(c *Child) bool {
			if c.State.live() {
				m.detach(c)
			}
			return true
		})
	}
	return m.settle()
}

// Tick says that time has passed.
func (m *Machine) Tick(now time.Duration) []Action {
	m.begin(now)
	for len(m.deadlines) > 0 && m.deadlines[0].due <= now {
		c := m.deadlines[0]
		m.unschedule(c)
		m.expired(c)
	}
	return m.settle()
}

// expired acts on the deadline of c.
func (m *Machine) expired(c *Child) {
	switch {
	case c.State == Restarting:
		m.ripe = append(m.ripe, c)
	case c.State == Starting:
		m.tell(c, child.ByReadiness)
	case c.State == Running:
		m.tell(c, child.ByMaxRun)
	case c.State == Stopping && !c.Killed:
		m.kill(c)
	case c.State == Stopping:
		m.stuck(c)
	}
}

func (m *Machine) begin(now time.Duration) {
	m.now = now
	m.out = m.out[:0]
}

// settle brings the machine to rest: first the procedure, as far as it comes
// without waiting; then, when there is none, what has waited for that: exits
// in the order they came, then calls, then retries. OTP has one mailbox for
// all; a retry queues behind what was there before it.
func (m *Machine) settle() []Action {
	for {
		switch {
		case m.op.kind != none:
			if !m.advance() {
				return m.out
			}
		case len(m.dead) > 0:
			c := m.dead[0]
			m.dead = shift(m.dead)
			if c.State == Dead {
				m.judge(c, &c.Past.Last().Exit, c.Past.verdict)
			}
		case m.serve():
		case len(m.ripe) > 0:
			c := m.ripe[0]
			m.ripe = shift(m.ripe)
			if c.State == Restarting && c.heap == 0 {
				m.attempt(c)
			}
		default:
			m.closeUp()
			return m.out
		}
	}
}

// shift takes the first away and lets go of what nobody needs.
func shift[T any](queue []T) []T {
	if len(queue) == 1 {
		return nil
	}
	var zero T
	queue[0] = zero
	return queue[1:]
}
