package machine

import "github.com/coppice-go/coppice/child"

// Counts is how often something has happened at a place, or at several. It is
// a plain value.
type Counts struct {
	// Starts is how many runs were begun.
	Starts uint64
	// TemporaryFailures is how many of them failed to start for now.
	TemporaryFailures uint64
	// PermanentFailures is how many of them failed to start for good.
	PermanentFailures uint64
	// Restarts is how many runs were begun by the supervisor itself, by what
	// the run before had ended of: group and bounce included.
	Restarts [child.Causes]uint64
	// Exits is how many runs have ended, by cause.
	Exits [child.Causes]uint64
	// Kills is how many runs outlived their grace and were killed, as a process
	// can be.
	Kills uint64
	// Overdue is how many outlived it and cannot be killed, being goroutines.
	Overdue uint64
	// GaveUp is how often a supervisor gave up.
	GaveUp uint64
}

// Add adds what o has counted.
func (n *Counts) Add(o *Counts) {
	n.Starts += o.Starts
	n.TemporaryFailures += o.TemporaryFailures
	n.PermanentFailures += o.PermanentFailures
	for i := range o.Exits {
		n.Restarts[i] += o.Restarts[i]
		n.Exits[i] += o.Exits[i]
	}
	n.Kills += o.Kills
	n.Overdue += o.Overdue
	n.GaveUp += o.GaveUp
}

// A child that never failed keeps no counts: its starts are its incarnation,
// and of its runs those that are missing have been stopped.

// Counts are the child's.
func (c *Child) Counts() Counts {
	return CountsOf(c.Past, c.Incarnation, c.State)
}

// CountsOf are the counts of a child of which these are copies.
func CountsOf(past *Past, incarnation uint64, s State) Counts {
	var n Counts
	if past != nil {
		incarnation -= past.before
		if past.counts != nil {
			n = *past.counts
		}
	}
	n.Starts = incarnation
	stopped := incarnation
	for _, exits := range n.Exits {
		stopped -= exits
	}
	if s.live() && stopped > 0 {
		stopped--
	}
	n.Exits[child.CauseStop] += stopped
	return n
}

// Follow makes the incarnations of c, which is new, go on after n. What was
// before is not its own.
func (c *Child) Follow(n uint64) {
	if n <= c.Incarnation {
		return
	}
	c.past().before += n - c.Incarnation
	c.Incarnation = n
}

// counts are what is counted of c, made at the first need.
func (c *Child) counts() *Counts {
	p := c.past()
	if p.counts == nil {
		p.counts = new(Counts)
	}
	return p.counts
}

// tally counts the end of a run.
//
//go:noinline
func (c *Child) tally(exit *child.Exit, v Verdict, unready bool) {
	cause := exit.Cause()
	switch {
	case cause == child.CauseStop:
		return
	case v == NeverAgain:
		cause = child.CauseNormal
	case cause == child.CauseNormal && unready:
		cause = child.CauseError
	}
	c.counts().Exits[cause]++
}

// killed counts a grace that is over.
func (c *Child) killed() {
	if c.Policy.Kills {
		c.counts().Kills++
	} else {
		c.counts().Overdue++
	}
}

// failed counts a start that failed.
func (c *Child) failed(exit *child.Exit) {
	if exit.Temporary {
		c.counts().TemporaryFailures++
	} else {
		c.counts().PermanentFailures++
	}
}
