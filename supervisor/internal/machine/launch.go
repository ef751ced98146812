package machine

import "github.com/coppice-go/coppice/child"

// launch begins the next run of c.
func (m *Machine) launch(c *Child) {
	m.unschedule(c)
	c.Incarnation++
	c.Told, c.Killed, c.uncounted = child.NotTold, false, false
	c.Since = m.now
	m.live++
	if c.Policy.Announces || c.Leftover {
		c.State = Starting
		m.note(Began, c)
		if c.Policy.Patience != child.Infinity {
			m.schedule(c, c.Policy.Patience)
		}
		m.act(Launch, c)
		return
	}
	m.started(c)
	m.act(Launch, c)
}

// started completes the start of c.
func (m *Machine) started(c *Child) {
	m.unschedule(c)
	c.State, c.Since = Running, m.now
	if c.Policy.MaxRun > 0 {
		m.schedule(c, c.Policy.MaxRun)
	}
	m.note(Started, c)
	m.replyUp(c, nil, nil)
}

// startOne begins the next run of c for the procedure.
func (m *Machine) startOne(c *Child) {
	if m.op.kind == initial {
		m.launch(c)
		return
	}
	m.relaunch(c, m.op.cause(c))
}

// relaunch begins the next run of c, whose last one ended of that cause.
func (m *Machine) relaunch(c *Child, cause child.Cause) {
	if c.Incarnation > 0 {
		c.counts().Restarts[cause]++
	}
	m.launch(c)
}

// cause is why the procedure starts c again.
func (o *op) cause(c *Child) child.Cause {
	switch {
	case o.kind == all:
		return child.CauseBounce
	case c == o.trigger:
		return c.Past.Last().Exit.Cause()
	}
	return child.CauseGroup
}
