package machine

import (
	"math"
	"time"
)

// deadlines is a heap of children by the time that they are due. A child has
// at most one deadline: of a delay, a patience, the longest run, a grace or a
// settling.
type deadlines []*Child

// Deadline is when the machine wants to be asked next; false if never.
func (m *Machine) Deadline() (time.Duration, bool) {
	if len(m.deadlines) == 0 {
		return 0, false
	}
	return m.deadlines[0].due, true
}

// in is the time after d, or the last there is.
func (m *Machine) in(d time.Duration) time.Duration {
	if d > math.MaxInt64-m.now {
		return math.MaxInt64
	}
	return m.now + d
}

// schedule makes the time after d the child's deadline, in the place of any
// other.
func (m *Machine) schedule(c *Child, d time.Duration) {
	c.due = m.in(d)
	if c.heap == 0 {
		m.deadlines = append(m.deadlines, c)
		c.heap = int32(len(m.deadlines))
	}
	m.deadlines.fix(int(c.heap) - 1)
}

// unschedule takes the child's deadline away, if it has one.
func (m *Machine) unschedule(c *Child) {
	if c.heap == 0 {
		return
	}
	h, i := m.deadlines, int(c.heap)-1
	last := len(h) - 1
	h.swap(i, last)
	h[last], m.deadlines = nil, h[:last]
	c.heap = 0
	if i < last {
		m.deadlines.fix(i)
	}
}

// fix moves the child at i to where its deadline belongs.
func (h deadlines) fix(i int) {
	for i > 0 && h[i].due < h[(i-1)/2].due {
		h.swap(i, (i-1)/2)
		i = (i - 1) / 2
	}
	for {
		least := 2*i + 1
		if least >= len(h) {
			return
		}
		if right := least + 1; right < len(h) && h[right].due < h[least].due {
			least = right
		}
		if h[i].due <= h[least].due {
			return
		}
		h.swap(i, least)
		i = least
	}
}

func (h deadlines) swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].heap, h[j].heap = int32(i)+1, int32(j)+1
}
