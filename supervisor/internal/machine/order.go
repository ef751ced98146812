package machine

import "slices"

// The children lie in start order in a slice. A child that goes leaves a hole,
// and the slice closes up when more than half of it is holes, so that ten
// thousand children can go in a time that grows with their number only.

// Lookup is the child of that name, or nil.
func (m *Machine) Lookup(name string) *Child {
	if m.index == nil { // made at the first need: most supervisors are never asked
		m.index = make(map[string]*Child, m.size)
		for _, c := range m.kids {
			if c != nil {
				m.index[c.Name] = c
			}
		}
	}
	return m.index[name]
}

// Each calls f for every child in start order until f says false.
func (m *Machine) Each(f func(*Child) bool) {
	for _, c := range m.kids {
		if c != nil && !f(c) {
			return
		}
	}
}

// Len is the number of children.
func (m *Machine) Len() int { return m.size }

// add appends a child.
func (m *Machine) add(c *Child) {
	c.pos = int32(len(m.kids))
	m.kids = append(m.kids, c)
	if m.index != nil {
		m.index[c.Name] = c
	}
	m.size++
	if c.Policy.Supervisor {
		m.supervisors++
	}
}

// forget takes c's place away.
func (m *Machine) forget(c *Child) {
	m.replyUp(c, ErrInterrupted, nil)
	m.note(Removed, c)
	m.remove(c)
	m.bequeath(c)
}

// remove takes a child out of the order.
func (m *Machine) remove(c *Child) {
	m.unschedule(c)
	c.State = Down
	delete(m.index, c.Name)
	m.size--
	m.kids[c.pos] = nil
	if c.Policy.Supervisor {
		m.supervisors--
	}
	m.act(Forget, c)
}

// closeUp takes the holes out of the order. Positions change, so it waits
// until no procedure walks along them.
func (m *Machine) closeUp() {
	if m.op.kind != none || len(m.kids) < 2*m.size+32 {
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
	n := Count{Specs: m.size, Active: m.live, Supervisors: m.supervisors, Workers: m.size - m.supervisors}
	if m.Dynamic {
		n.Specs = 1
	}
	return n
}
