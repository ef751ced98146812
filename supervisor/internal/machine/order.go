package machine

import "slices"

// The children lie in start order in a slice. A child that goes leaves a hole,
// and the slice closes up when more than half of it is holes, so that ten
// thousand children can go in a time that grows with their number only.

// Lookup is the child of that name, or nil.
func (m *Machine) Lookup(name string) *Child { return m.index[name] }

// Each calls f for every child in start order until f says false.
func (m *Machine) Each(f func(*Child) bool) {
	for _, c := range m.kids {
		if c != nil && !f(c) {
			return
		}
	}
}

// Len is the number of children.
func (m *Machine) Len() int { return len(m.index) }

// add appends a child.
func (m *Machine) add(c *Child) {
	c.pos = int32(len(m.kids))
	m.kids = append(m.kids, c)
	m.index[c.Name] = c
	if c.Policy.Supervisor {
		m.supervisors++
	}
}

// remove forgets a child.
func (m *Machine) remove(c *Child) {
	m.unschedule(c)
	c.State = Down
	if m.index[c.Name] != c {
		return
	}
	delete(m.index, c.Name)
	m.kids[c.pos] = nil
	if c.Policy.Supervisor {
		m.supervisors--
	}
	m.act(Action{Do: Forget, Child: c})
}

// closeUp takes the holes out of the order. Positions change, so it waits
// until no procedure walks along them.
func (m *Machine) closeUp() {
	if m.op.kind != none || len(m.kids) < 2*len(m.index)+32 {
		return
	}
	m.kids = slices.DeleteFunc(m.kids, func(c *Child) bool { return c == nil })
	for i, c := range m.kids {
		c.pos = int32(i)
	}
}

// Count is OTP's count_children.
type Count struct {
	Specs, Active, Supervisors, Workers int
}

// Count tells how many children there are: those with a live run are active.
// A dynamic supervisor has one spec, its template.
func (m *Machine) Count() Count {
	n := Count{Specs: len(m.index), Active: m.live, Supervisors: m.supervisors, Workers: len(m.index) - m.supervisors}
	if m.Dynamic {
		n.Specs = 1
	}
	return n
}
