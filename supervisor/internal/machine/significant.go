package machine

import "github.com/coppice-go/coppice/child"

// significant ends the supervisor if the end of c, which is not restarted,
// calls for it (rules 78 to 80).
func (m *Machine) significant(c *Child, exit *child.Exit) {
	if !c.Policy.Significant || m.Auto == Never {
		return
	}
	if m.Auto == AllSignificant && m.significantLeft() {
		return
	}
	m.shut(End{Cause: Automatic, Child: c, Exit: *exit})
}

// significantLeft reports whether a significant child is left that has not
// ended for good. The search goes on where the last one ended: from the
// beginning, the ends of all would cost the square of their number.
func (m *Machine) significantLeft() bool {
	for i := range m.kids {
		at := (m.witness + i) % len(m.kids)
		if c := m.kids[at]; c != nil && c.Policy.Significant && c.State != Down && !c.terminated() {
			m.witness = at
			return true
		}
	}
	return false
}

// terminated reports whether a call has ended c's run, or is about to: nobody
// has to wait for that (rule 80).
func (c *Child) terminated() bool { return c.State.live() && c.Told == child.ByCall }
