package machine

import (
	"time"

	"github.com/coppice-go/coppice/child"
)

// opKind is which procedure runs.
type opKind uint8

const (
	none    opKind = iota
	initial        // start all, once
	group          // stop a span of children and start it again
	all            // RestartAll: stop all children and start those again that ran
	final          // stop all, for good
)

// op is a procedure on several children, one after the other. It first stops,
// from the end of the order back to position from, and then starts, from
// position from to the end. At any time it waits for one child at the most.
type op struct {
	kind     opKind
	starting bool          // it has done with stopping
	only     bool          // group: stop only; the trigger's retry comes later
	begun    bool          // it has started the child at position at
	from     int           // the first position of its span
	at       int           // the position it has come to
	since    time.Duration // when begun
	trigger  *Child        // group: the child that failed
	request  *Request      // all: the call
}

// regroup begins the restart of the group of the failed child c; only stops it
// if the restart comes later. It takes the place of a procedure that runs: the
// two spans end alike, so the wider one does the work of both. What the other
// has started again needs no second start.
func (m *Machine) regroup(c *Child, only bool) {
	from, _ := m.Strategy.Span(int(c.pos), len(m.kids))
	switch {
	case m.op.starting:
		from = min(from, m.op.at)
	case m.op.kind != none:
		from = min(from, m.op.from)
	}
	m.stopFrom(op{kind: group, from: from, trigger: c, only: only, request: m.op.request})
}

// stopFrom begins the stopping half of a procedure.
func (m *Machine) stopFrom(o op) {
	o.at = len(m.kids) - 1
	m.op = o
	if !m.Dynamic && !m.Together && !m.killing {
		return
	}
	for i := o.at; i >= o.from; i-- { // all are told, then waited for one by one
		if c := m.kids[i]; c != nil {
			m.finish(c)
		}
	}
}

// advance takes the procedure further. It reports false when it has to wait.
func (m *Machine) advance() bool {
	if m.op.starting {
		return m.startNext()
	}
	return m.stopNext()
}

// stopNext stops one child after the other, the last first.
func (m *Machine) stopNext() bool {
	for ; m.op.at >= m.op.from; m.op.at-- {
		if c := m.kids[m.op.at]; c != nil && !m.finish(c) {
			return false
		}
	}
	switch {
	case m.op.kind == final:
		return m.conclude()
	case m.op.only:
		m.finishOp()
	default:
		if t := m.op.trigger; t != nil && t.State == Restarting {
			m.cancel(t) // from here on it is a member like the others (rule 71)
		}
		m.op.starting, m.op.begun, m.op.at = true, false, m.op.from
	}
	return true
}

// finish brings c down for the procedure. It reports whether the procedure
// need not wait for c: because it is down, or because this is the final stop
// and c does not end.
func (m *Machine) finish(c *Child) bool {
	switch {
	case c.State == Running || c.State == Starting:
		m.tell(c, m.op.reason())
	case c.State.live() && m.killing && !c.Killed:
		m.kill(c)
	case c.State == Dead:
		m.noteExit(c, &c.Past.Last().Exit, Follows, 0)
		m.brought(c)
	case c.State == Restarting && c != m.op.trigger:
		m.cancel(c)
	}
	return !c.State.live() || m.op.kind == final && c.State == Stuck
}

// reason is why the procedure tells a child to stop.
func (o *op) reason() child.Reason {
	switch o.kind {
	case group:
		return child.ByGroup
	case all:
		return child.ByBounce
	}
	return child.ByShutdown
}

// holds reports whether the procedure is what brings c down.
func (m *Machine) holds(c *Child) bool {
	return m.op.kind > initial && !m.op.starting && int(c.pos) >= m.op.from
}

// brought settles a child that the procedure has brought down. A temporary one
// goes with its group (rule 52).
func (m *Machine) brought(c *Child) {
	c.State = Down
	m.replyDown(c)
	if m.op.kind == group && c.Policy.Restart == child.Temporary {
		m.replyUp(c, ErrInterrupted, nil)
		m.forget(c)
	}
}

// startNext starts one child after the other.
func (m *Machine) startNext() bool {
	for ; m.op.at < len(m.kids); m.op.at, m.op.begun = m.op.at+1, false {
		c := m.kids[m.op.at]
		if c == nil {
			continue
		}
		if again := m.op.begun && m.op.kind == initial && c.State == Restarting && c.heap == 0; again || !m.op.begun && m.wants(c) {
			if !m.op.begun {
				m.op.begun, m.op.since = true, m.now
			}
			m.startOne(c)
		}
		if m.op.begun && c.State != Running && (c.State.live() || m.op.kind == initial && c.State == Restarting) {
			return false
		}
	}
	m.finishOp()
	return true
}

// wants reports whether the procedure starts c: a group everything that does
// not run, whatever has brought it down (rule 51), RestartAll what it stopped.
func (m *Machine) wants(c *Child) bool {
	if c.Past != nil && c.Past.Held {
		return false
	}
	if m.op.kind != all {
		return c.State == Down || c.State == Restarting
	}
	again := c.again
	c.again = false
	return again && c.State == Down
}

// finishOp ends the procedure. Who waits for the start of a child that it has
// brought down, and not up again, is told so.
//
//go:noinline
func (m *Machine) finishOp() {
	o := m.op
	m.op = op{}
	for _, c := range m.kids[o.from:] {
		if c != nil && c.State == Down {
			m.replyUp(c, ErrInterrupted, nil)
		}
	}
	if o.request != nil {
		m.reply(o.request, nil, nil)
	}
	if o.kind == initial {
		m.phase = Up
		m.act(Complete, nil)
	}
}

// shut begins the final stop, unless one has begun.
func (m *Machine) shut(e End) {
	switch m.phase {
	case Fresh:
		m.end, m.phase = e, Ended
		m.act(Over, nil)
	case Init, Up:
		m.end, m.phase = e, Ending
		if m.op.request != nil {
			m.reply(m.op.request, ErrStopped, nil)
		}
		for _, r := range m.queue {
			m.reply(r, ErrStopped, nil)
		}
		m.queue, m.dead, m.ripe = nil, nil, nil
		m.stopFrom(op{kind: final})
	}
}

// conclude ends the supervisor when all its runs have ended. A run that is
// stuck holds it up, unless its place says otherwise: then it is left behind.
//
//go:noinline
func (m *Machine) conclude() bool {
	stuck := false
	m.Each(func(c *Child) bool {
		if c.State.live() && c.Policy.Stuck != child.Wait {
			m.detach(c)
		}
		stuck = stuck || c.State.live()
		m.replyUp(c, ErrStopped, nil)
		return true
	})
	if !stuck {
		m.op = op{}
		m.phase = Ended
		m.act(Over, nil)
		return true
	}
	if !m.blocked {
		m.blocked = true
		m.act(Blocked, nil)
	}
	return false
}
