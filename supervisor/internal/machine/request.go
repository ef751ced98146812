package machine

import (
	"errors"
	"slices"

	"github.com/coppice-go/coppice/child"
)

// The answers to a call that are not nil: OTP's reasons, and ours.
var (
	ErrNotFound       = errors.New("no child of that name")
	ErrRunning        = errors.New("the child is running")
	ErrRestarting     = errors.New("the child is waiting for a restart")
	ErrAlreadyStarted = errors.New("a child of that name is running")
	ErrAlreadyPresent = errors.New("a child of that name is present and not running")
	ErrDynamic        = errors.New("the children of a template are started and terminated only (simple_one_for_one)")
	ErrMaxChildren    = errors.New("the supervisor has as many children as it may")
	ErrStarting       = errors.New("the supervisor waits for the caller's own start")
	ErrStopped        = errors.New("the supervisor is stopping or stopped")
	ErrStartFailed    = errors.New("the child failed to start")
	ErrInterrupted    = errors.New("the start was interrupted")
	ErrStuck          = errors.New("it was killed and still runs")
)

// Op is which call a request is.
type Op uint8

// The calls.
const (
	Start      Op = iota // Child is the new child
	Terminate            // Name and those below: of the child called Name
	Restart              // start one that is down
	Delete               // forget one that is down
	Bounce               // stop it if it runs, and start it
	RestartAll           // all that run
	Hold                 // Terminate, and nothing but a call starts it again
)

// ends reports whether the call waits for the end of a run.
func (o Op) ends() bool { return o == Terminate || o == Hold }

// Request is a call. Err and Exit are the answer.
type Request struct {
	Op     Op
	Name   string
	Child  *Child
	Caller *Child // the child of this supervisor on whose behalf it is made
	Err    error
	Exit   child.Exit // with ErrStartFailed
	Tag    any        // for the driver
}

// origin is who asked for a start that is not complete.
type origin uint8

const (
	automatic origin = iota
	byStart
	byRestart
)

// ask serves the request now or queues it.
func (m *Machine) ask(r *Request) {
	switch {
	case m.phase != Init && m.phase != Up:
		m.reply(r, ErrStopped, nil)
	case m.take(r):
	case r.Caller != nil && r.Caller.State == Starting:
		m.reply(r, ErrStarting, nil)
	default:
		m.queue = append(m.queue, r)
	}
}

// serve serves the first queued request whose turn has come.
func (m *Machine) serve() bool {
	for i, r := range m.queue {
		if m.take(r) {
			m.queue = slices.Delete(m.queue, i, i+1)
			return true
		}
	}
	return false
}

// take serves the request unless it has to wait: for a procedure that walks
// over its child, or for the child to come to rest. OTP does one thing at a
// time; here only what touches the same child queues.
func (m *Machine) take(r *Request) bool {
	if r.Op == RestartAll {
		return m.takeAll(r)
	}
	c := m.Lookup(r.Name)
	if c == nil && r.Op == Start {
		return m.takeNew(r)
	}
	switch {
	case m.Dynamic && (r.Op == Restart || r.Op == Delete):
		m.reply(r, ErrDynamic, nil)
		return true
	case c == nil:
		m.reply(r, ErrNotFound, nil)
		return true
	case m.op.kind != none && int(c.pos) >= m.op.from, c.State == Dead:
		return false
	}
	switch r.Op {
	case Hold:
		c.past().Held = true
		m.terminate(c, r)
		return true
	case Terminate:
		m.terminate(c, r)
		return true
	case Bounce:
		return m.bounce(c, r)
	}
	return m.takeResting(c, r)
}

// takeResting serves what needs a child at rest: the table of rule 85.
func (m *Machine) takeResting(c *Child, r *Request) bool {
	answers := map[Op][2]error{
		Start:   {ErrAlreadyStarted, ErrAlreadyPresent},
		Restart: {ErrRunning, ErrRestarting},
		Delete:  {ErrRunning, ErrRestarting},
	}[r.Op]
	switch {
	case c.State == Running || c.State == Stuck:
		m.reply(r, answers[0], nil)
	case c.State == Restarting || r.Op == Start && c.State == Down:
		m.reply(r, answers[1], nil)
	case c.State != Down:
		return false
	case r.Op == Delete:
		m.forget(c)
		m.reply(r, nil, nil)
	default:
		m.startFor(c, r, byRestart)
	}
	return true
}

// takeNew adds a child and starts it.
func (m *Machine) takeNew(r *Request) bool {
	if m.op.kind != none {
		return false
	}
	if m.MaxChildren > 0 && m.size >= m.MaxChildren {
		m.reply(r, ErrMaxChildren, nil)
		return true
	}
	m.add(r.Child)
	m.note(Added, r.Child)
	m.startFor(r.Child, r, byStart)
	return true
}

// bequeath has who waits for the name of c, which is gone, go on with its
// numbers: the call was made when c was still there.
func (m *Machine) bequeath(c *Child) {
	for _, r := range m.queue {
		if r.Op == Start && r.Name == c.Name {
			r.Child.Follow(c.Incarnation)
		}
	}
}

// startFor starts c, and answers r when the start is complete or has failed.
func (m *Machine) startFor(c *Child, r *Request, o origin) {
	c.past().Held = false
	c.origin = o
	m.wait(c, r)
	m.launch(c)
}

// terminate stops c, cancels its retry, or finds it down. It is not a failure,
// touches no sibling and takes a temporary child's place (rules 85 and 89).
func (m *Machine) terminate(c *Child, r *Request) {
	switch {
	case c.State == Running || c.State == Starting:
		m.replyUp(c, ErrInterrupted, nil)
		m.wait(c, r)
		m.tell(c, child.ByCall)
	case c.State.live(): // it is being stopped for another reason, which ends here
		m.replyUp(c, ErrInterrupted, nil)
		c.Told = child.ByCall
		m.wait(c, r)
	default:
		m.cancel(c)
		m.replyUp(c, ErrInterrupted, nil)
		if m.goes(c) {
			m.forget(c)
		}
		m.reply(r, nil, nil)
	}
}

// bounce stops c and starts it in place, uncounted, its delay reset. One that
// waits is tried now, one that is down is started.
func (m *Machine) bounce(c *Child, r *Request) bool {
	if c.State.live() && c.Told != child.NotTold && c.Told != child.ByBounce {
		return false
	}
	if c.Past != nil {
		c.Past.delay, c.Past.Held = 0, false
	}
	switch c.State {
	case Running, Starting:
		c.origin = automatic
		m.wait(c, r)
		m.tell(c, child.ByBounce)
	case Stopping, Stuck:
		m.wait(c, r)
	case Restarting:
		m.wait(c, r)
		m.unschedule(c)
		if m.alone() {
			m.relaunch(c, child.CauseBounce)
		} else {
			m.regroup(c, false)
		}
	default:
		m.startFor(c, r, byRestart)
	}
	return true
}

// takeAll begins RestartAll. What was stopped stays stopped.
func (m *Machine) takeAll(r *Request) bool {
	if m.op.kind != none {
		return false
	}
	m.Each(func(c *Child) bool {
		c.again = c.State == Running || c.State == Starting || c.State == Restarting ||
			c.State.live() && !c.terminated()
		if c.again && c.Past != nil {
			c.Past.delay = 0
		}
		return true
	})
	m.stopFrom(op{kind: all, request: r})
	return true
}

// wait lets r wait for what becomes of c.
func (m *Machine) wait(c *Child, r *Request) {
	p := c.past()
	p.waiters = append(p.waiters, r)
}

// replyUp answers those who wait for c to start. From here on its starts are
// nobody's but the machine's.
func (m *Machine) replyUp(c *Child, err error, exit *child.Exit) {
	c.origin = automatic
	m.answer(c, func(r *Request) bool { return !r.Op.ends() }, err, exit)
}

// replyDown answers those who wait for c to end.
func (m *Machine) replyDown(c *Child) {
	m.answer(c, func(r *Request) bool { return r.Op.ends() }, nil, nil)
}

func (m *Machine) answer(c *Child, which func(*Request) bool, err error, exit *child.Exit) {
	if c.Past == nil || len(c.Past.waiters) == 0 {
		return
	}
	var rest []*Request
	for _, r := range c.Past.waiters {
		if which(r) {
			m.reply(r, err, exit)
		} else {
			rest = append(rest, r)
		}
	}
	c.Past.waiters = rest
}

func (m *Machine) reply(r *Request, err error, exit *child.Exit) {
	r.Err = err
	if exit != nil {
		r.Exit = *exit
	}
	m.act(Reply, nil).Request = r
}
