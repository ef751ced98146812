package machine

import (
	"fmt"
	"slices"

	"github.com/coppice-go/coppice/child"
)

// Broken is what is wrong within the machine between two inputs, for the fuzzer;
// empty if nothing is. It asks for what cannot be seen from outside.
func (m *Machine) Broken() string {
	for _, check := range []func() string{m.brokenHeap, m.brokenOrder, m.brokenOp, m.brokenQueues, m.brokenChildren} {
		if what := check(); what != "" {
			return what
		}
	}
	return ""
}

// Places is how long the order is, holes included.
func (m *Machine) Places() int { return len(m.kids) }

func (m *Machine) brokenHeap() string {
	for i, c := range m.deadlines {
		switch {
		case int(c.heap) != i+1:
			return fmt.Sprintf("heap: %s is at %d and thinks it is at %d", c.Name, i+1, c.heap)
		case i > 0 && m.deadlines[(i-1)/2].due > c.due:
			return fmt.Sprintf("heap: %s is due before what is above it", c.Name)
		case m.Lookup(c.Name) != c:
			return fmt.Sprintf("heap: %s has no place and has a deadline", c.Name)
		}
	}
	return ""
}

func (m *Machine) brokenOrder() string {
	size, supervisors, live := 0, 0, 0
	for i, c := range m.kids {
		if c == nil {
			continue
		}
		if int(c.pos) != i || m.Lookup(c.Name) != c {
			return fmt.Sprintf("order: %s is not where it thinks it is", c.Name)
		}
		size++
		if c.Policy.Supervisor {
			supervisors++
		}
		if c.State.live() {
			live++
		}
	}
	if size != m.size || supervisors != m.supervisors || live != m.live || m.index != nil && len(m.index) != size {
		return fmt.Sprintf("count: %d children, %d supervisors, %d live runs, but it counts %d, %d, %d",
			size, supervisors, live, m.size, m.supervisors, m.live)
	}
	return ""
}

// brokenOp checks that a procedure fits the phase, has brought down what is
// behind it and waits for something.
func (m *Machine) brokenOp() string {
	if (m.phase == Init) != (m.op.kind == initial) || (m.phase == Ending) != (m.op.kind == final) {
		return fmt.Sprintf("phase %d with procedure %d", m.phase, m.op.kind)
	}
	if m.op.kind == none {
		return ""
	}
	if c := m.op.waitsFor(m.kids); c == nil && !m.blocked {
		return "a procedure waits for nobody"
	}
	for _, c := range m.kids[max(m.op.at+1, 0):] {
		if c != nil && c.State.live() && (c.State != Stuck || m.op.kind != final) {
			return fmt.Sprintf("the procedure has come to %d, and %s behind it runs", m.op.at, c.Name)
		}
	}
	return ""
}

// waitsFor is the child that the procedure waits for.
func (o *op) waitsFor(kids []*Child) *Child {
	if o.at < 0 || o.at >= len(kids) || kids[o.at] == nil {
		return nil
	}
	c := kids[o.at]
	switch {
	case !o.starting && c.State.live() && (o.kind != final || c.State != Stuck),
		o.starting && o.begun && c.State.live() && c.State != Running,
		o.kind == initial && o.begun && c.State == Restarting && c.heap != 0:
		return c
	}
	return nil
}

// brokenQueues checks that what waits for its turn has something to wait for.
func (m *Machine) brokenQueues() string {
	if m.op.kind == none && len(m.dead)+len(m.ripe) > 0 {
		return "exits or retries wait, and nothing is in their way"
	}
	for _, r := range m.queue {
		c := m.Lookup(r.Name)
		if m.op.kind == none && (c == nil || !c.State.live() || c.State == Running) {
			return fmt.Sprintf("call %d about %q waits for nothing", r.Op, r.Name)
		}
	}
	return ""
}

func (m *Machine) brokenChildren() string {
	for _, c := range m.kids {
		if c == nil {
			continue
		}
		if what := m.brokenChild(c); what != "" {
			return fmt.Sprintf("%s, in state %d: %s", c.Name, c.State, what)
		}
	}
	return ""
}

// brokenChild checks that c's state has a way out, and no deadline without a
// meaning.
func (m *Machine) brokenChild(c *Child) string {
	if c.Past != nil && c.Past.Held && (c.State == Starting || c.State == Running || c.State == Restarting) {
		return "it runs though it is held"
	}
	if n := c.Counts(); n.Exits[child.CauseStop] > n.Starts {
		return "more of its runs have ended than were begun"
	}
	timed := c.heap != 0
	switch c.State {
	case Starting:
		if timed != (c.Policy.Patience != child.Infinity) {
			return "its deadline does not fit its patience"
		}
	case Running:
		if timed != (c.Policy.MaxRun > 0) {
			return "its deadline does not fit its longest run"
		}
	case Stopping:
		if timed != (c.Killed || c.Policy.Grace != child.Infinity) {
			return "its deadline does not fit its grace"
		}
	case Restarting:
		passed := !m.walks(c) || m.op.starting && int(c.pos) < m.op.at
		if !timed && passed && !slices.Contains(m.ripe, c) {
			return "nobody will make its next attempt"
		}
	case Dead:
		if timed || !slices.Contains(m.dead, c) && m.op.kind != final {
			return "nobody will judge its exit"
		}
	default:
		if timed {
			return "it has a deadline"
		}
	}
	return m.brokenWait(c)
}

// brokenWait checks that those who wait for c wait for something that comes.
func (m *Machine) brokenWait(c *Child) string {
	if c.origin != automatic && c.State != Starting && c.State != Stopping && c.State != Stuck && !m.walks(c) {
		return "somebody else's start of it is neither complete nor over"
	}
	if c.Past == nil || len(c.Past.waiters) == 0 {
		return ""
	}
	if c.State == Running || !c.State.live() && !m.walks(c) {
		return "somebody waits for it in vain"
	}
	return ""
}

// walks reports whether c is the procedure's business.
func (m *Machine) walks(c *Child) bool { return m.op.kind != none && int(c.pos) >= m.op.from }
