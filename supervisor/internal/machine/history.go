package machine

import (
	"time"

	"github.com/coppice-go/coppice/child"
)

// Death is how one run ended.
type Death struct {
	Exit        child.Exit
	At          time.Duration
	Lived       time.Duration // from when it was ready
	Incarnation uint64
}

// Remembered is how many deaths of a child are kept.
const Remembered = 10

// history is a ring of the last deaths.
type history struct {
	ring   []Death
	newest int
}

// last is the newest death, which may be written to.
func (h *history) last() *Death {
	if len(h.ring) == 0 {
		return new(Death)
	}
	return &h.ring[h.newest]
}

// add makes room for the death of an incarnation. One that is already there,
// because more has become known of it, is written over.
func (h *history) add(incarnation uint64) *Death {
	switch {
	case len(h.ring) > 0 && h.ring[h.newest].Incarnation == incarnation:
	case len(h.ring) < Remembered:
		h.ring = append(h.ring, Death{})
		h.newest = len(h.ring) - 1
	default:
		h.newest = (h.newest + 1) % Remembered
	}
	return &h.ring[h.newest]
}

// Last is how the last run of the child ended, as far as it is remembered.
func (p *Past) Last() *Death { return p.deaths.last() }

// Deaths are copies of those that are remembered, the oldest first.
func (p *Past) Deaths() []Death {
	ring, first := p.deaths.ring, p.deaths.newest+1
	if len(ring) < Remembered {
		first = 0
	}
	return append(append(make([]Death, 0, len(ring)), ring[first:]...), ring[:first]...)
}

// Copy is a copy that nobody changes, but for the deaths.
func (p *Past) Copy() *Past {
	c := *p
	if p.counts != nil {
		n := *p.counts
		c.counts = &n
	}
	return &c
}

// Inherit makes c go on where a child of an earlier life at its place ended.
func (c *Child) Inherit(from *Child) {
	c.Incarnation = from.Incarnation
	if from.Past != nil && (len(from.Past.deaths.ring) > 0 || from.Past.Log != nil) {
		c.past().deaths, c.Past.Log = from.Past.deaths, from.Past.Log
	}
	if from.Past != nil {
		p := from.Past.Copy()
		c.past().counts, c.Past.before, c.Past.Held = p.counts, p.before, p.Held
	}
}
