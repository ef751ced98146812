package machine

import (
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/strategies"
)

// Verdict is what the user's code made of an exit: the spec's Decide, or one
// of suture's two errors.
type Verdict uint8

const (
	// ByType and the three after it are the decisions of package child.
	ByType   = Verdict(child.ByType)
	restart  = Verdict(child.RestartIt)
	complete = Verdict(child.CompleteIt)
	escalate = Verdict(child.EscalateIt)
	// NeverAgain is suture.ErrDoNotRestart.
	NeverAgain = escalate + 1
	// EndTree is suture.ErrTerminateSupervisorTree.
	EndTree = escalate + 2
)

// exited takes the end of a run: told or not, complete in its start or not.
func (m *Machine) exited(c *Child, exit *child.Exit, v Verdict) {
	was, ran := c.State, m.now-c.Since
	c.Amend(exit)
	m.unschedule(c)
	m.live--
	c.State, c.Since = Down, m.now
	switch {
	case was == Stopping || was == Stuck:
		exit.Tell(c.Told, c.Killed)
		c.tally(exit, ByType, false)
		m.ended(c, exit)
	case m.holds(c): // its turn to be stopped had not come (rule 54)
		c.tally(exit, v, was == Starting)
		m.noteExit(c, m.record(c, exit), Follows, 0)
		m.brought(c)
	case was == Starting:
		c.tally(exit, v, true)
		m.unstarted(c, exit, v)
	default:
		c.past().lived = ran
		c.tally(exit, v, false)
		exit = m.record(c, exit)
		m.hear(c, exit, v)
	}
}

// Amend corrects what an exit of the live run claims by the error that the
// service has returned: only a supervisor gives up, and only a start fails to
// start.
func (c *Child) Amend(exit *child.Exit) {
	started := c.State != Starting && !(c.unready && c.Told != child.NotTold)
	switch exit.Kind {
	case child.GaveUp, child.ShutDown:
		if c.Policy.Supervisor {
			return
		}
	case child.StartFailed:
		if !started {
			return
		}
	default:
		return
	}
	exit.Kind, exit.Temporary = child.Failed, false
}

// hear judges an exit, or has it wait until all have started (rule 28).
func (m *Machine) hear(c *Child, exit *child.Exit, v Verdict) {
	if m.phase != Init {
		m.judge(c, exit, v)
		return
	}
	c.State, c.Past.verdict = Dead, v
	m.dead = append(m.dead, c)
}

// record keeps the last exit where it stays for the actions to point to, if it
// is one worth the memory: the clean end of a stop is not.
func (m *Machine) record(c *Child, exit *child.Exit) *child.Exit {
	if exit.Reason != child.NotTold && exit.Kind == child.Normal {
		return exit
	}
	p := c.past()
	d := p.deaths.add(c.Incarnation)
	d.Exit, d.At, d.Lived, d.Incarnation = *exit, m.now, p.lived, c.Incarnation
	if exit.Kind == child.StartFailed {
		d.Lived = 0
	}
	return &d.Exit
}

// judge decides about a run that had started and ended by itself, or that
// failed in a way that it did not know.
func (m *Machine) judge(c *Child, exit *child.Exit, v Verdict) {
	c.State = Down
	switch {
	case v == EndTree:
		m.noteExit(c, exit, Ends, 0)
		m.shut(End{Cause: Terminated, Child: c, Exit: *exit})
	case v == escalate:
		m.noteExit(c, exit, Ends, 0)
		m.giveUp(c, exit, false)
	case m.restarts(c, exit, v):
		m.restart(c, exit, c.ran(exit))
	case v == NeverAgain || m.goes(c):
		m.noteExit(c, exit, Goes, 0)
		m.forget(c)
		m.significant(c, exit)
	default:
		m.noteExit(c, exit, Stays, 0)
		m.significant(c, exit)
	}
}

// restarts is OTP's table of restart types (rule 42), after what the user's
// code has said.
func (m *Machine) restarts(c *Child, exit *child.Exit, v Verdict) bool {
	switch v {
	case restart:
		return true
	case complete, NeverAgain:
		return false
	}
	switch c.Policy.Restart {
	case child.Permanent:
		return true
	case child.Transient:
		return exit.Abnormal()
	}
	return false
}

// goes reports whether a child that is not started again loses its place.
func (m *Machine) goes(c *Child) bool {
	return m.Dynamic || c.Policy.Restart == child.Temporary
}

// ran is how long the run counts as having lived. A supervisor that gave up
// has had a short run however long it lived.
func (c *Child) ran(exit *child.Exit) time.Duration {
	if exit.Kind == child.GaveUp {
		return 0
	}
	return c.Past.lived
}

// restart arranges the next attempt: now, or after the delay. The group of a
// failed child stops at once and waits down.
func (m *Machine) restart(c *Child, exit *child.Exit, ran time.Duration) {
	wait := m.delay(c, ran)
	m.noteExit(c, exit, Restarts, wait)
	switch {
	case wait == 0:
		m.attempt(c)
	case m.alone():
		m.schedule(c, wait)
	default:
		m.schedule(c, wait)
		m.regroup(c, true)
	}
}

// delay asks the backoff and makes c wait that long.
func (m *Machine) delay(c *Child, ran time.Duration) time.Duration {
	p := c.past()
	p.Wait, p.delay = c.Policy.Backoff.After(p.delay, ran, m.Random)
	p.Next = m.in(p.Wait)
	c.State, c.Since = Restarting, m.now
	return p.Wait
}

// alone reports whether every child has a life of its own.
func (m *Machine) alone() bool {
	return m.Strategy == strategies.OneForOne || m.Strategy == strategies.SimpleOneForOne
}

// attempt makes the restart that c waits for, if the window allows it.
func (m *Machine) attempt(c *Child) {
	p := c.Past
	if !c.uncounted && !m.allowed(c) {
		m.giveUp(c, &p.Last().Exit, true)
		return
	}
	c.uncounted = false
	p.Restarts++
	if m.alone() {
		m.relaunch(c, p.Last().Exit.Cause())
		return
	}
	m.regroup(c, false)
}

// allowed counts an attempt in the window and reports whether it may be made.
func (m *Machine) allowed(c *Child) bool {
	if m.Intensity.Each {
		return c.Past.window.Allow(m.now, m.Intensity)
	}
	return m.window.Allow(m.now, m.Intensity)
}

// giveUp ends the supervisor because of c.
func (m *Machine) giveUp(c *Child, exit *child.Exit, refused bool) {
	if c.State == Restarting {
		m.cancel(c)
	}
	m.note(Quit, c).Exit = exit
	m.shut(End{Cause: GaveUp, Child: c, Exit: *exit, Refused: refused})
}

// ended takes the end of a run that was told to stop.
func (m *Machine) ended(c *Child, exit *child.Exit) {
	exit = m.record(c, exit)
	switch {
	case m.holds(c):
		m.noteExit(c, exit, Follows, 0)
		m.brought(c)
	case c.unready && c.Told != child.ByCall && c.Told != child.ByBounce:
		m.unstarted(c, exit, ByType)
	case c.Told == child.ByBounce:
		m.noteExit(c, exit, Restarts, 0)
		m.relaunch(c, child.CauseBounce)
	case c.Told == child.ByCall && m.goes(c):
		m.noteExit(c, exit, Goes, 0)
		m.replyDown(c)
		m.forget(c)
	case c.Told == child.ByCall:
		m.noteExit(c, exit, Stays, 0)
		m.replyDown(c)
	default:
		m.hear(c, exit, ByType)
	}
}

// unstarted takes the end of a run whose start was not complete.
func (m *Machine) unstarted(c *Child, exit *child.Exit, v Verdict) {
	if v == NeverAgain {
		m.ignored(c, m.record(c, exit))
		return
	}
	exit.FailStart()
	c.failed(exit)
	exit = m.record(c, exit)
	switch {
	case v == EndTree:
		m.judge(c, exit, v)
	case m.op.kind == initial && exit.Temporary && m.now-m.op.since < c.Policy.Patience:
		wait := m.delay(c, 0)
		m.noteExit(c, exit, Restarts, wait)
		if wait > 0 {
			m.schedule(c, wait)
		}
	case m.op.kind == initial:
		m.noteExit(c, exit, Ends, 0)
		m.shut(End{Cause: InitFailed, Child: c, Exit: *exit})
	case c.origin == byStart: // nothing is kept of a child that never started (rule 86)
		m.noteExit(c, exit, Goes, 0)
		m.replyUp(c, ErrStartFailed, exit)
		m.forget(c)
	case c.origin == byRestart: // it stays down and is not retried (rule 88)
		m.noteExit(c, exit, Stays, 0)
		m.replyUp(c, ErrStartFailed, exit)
	default:
		m.retry(c, exit)
	}
}

// ignored takes a run that ended before its start was complete and wants no
// other: OTP's ignore (rules 24, 76, 86).
func (m *Machine) ignored(c *Child, exit *child.Exit) {
	m.replyUp(c, nil, nil)
	if m.goes(c) {
		m.noteExit(c, exit, Goes, 0)
		m.forget(c)
		return
	}
	m.noteExit(c, exit, Stays, 0)
}

// retry arranges another attempt after an automatic one has failed. In a group
// the retry is anchored at the child that did not start: those before it keep
// running, those after it stay down (rules 71 and 72).
func (m *Machine) retry(c *Child, exit *child.Exit) {
	wait := m.delay(c, 0)
	c.uncounted = exit.Temporary
	m.noteExit(c, exit, Restarts, wait)
	m.replyUp(c, ErrStartFailed, exit)
	if !m.alone() && m.op.starting && int(c.pos) == m.op.at {
		m.finishOp()
	}
	if wait == 0 {
		m.ripe = append(m.ripe, c) // behind what has queued up meanwhile (rule 65)
		return
	}
	m.schedule(c, wait)
}

// tell tells c's run to stop.
func (m *Machine) tell(c *Child, why child.Reason) {
	m.unschedule(c)
	c.unready = c.State == Starting
	if c.Past != nil || why.Failure() {
		c.past().lived = m.now - c.Since // and not the time it takes to end
	}
	c.State, c.Told, c.Since = Stopping, why, m.now
	m.note(Told, c)
	m.act(Tell, c)
	switch {
	case m.killing || c.Policy.Grace == child.BrutalKill:
		m.kill(c)
	case c.Policy.Grace != child.Infinity:
		m.schedule(c, c.Policy.Grace)
	}
}

// kill ends the grace of c's run.
func (m *Machine) kill(c *Child) {
	c.Killed = true
	c.killed()
	m.note(Killing, c)
	m.act(Kill, c)
	m.schedule(c, Settle)
}

// An Explainer is a [Child.Run] that knows more than the reason why it was told
// to stop, and puts that into an exit.
type Explainer interface{ Explain(exit *child.Exit) }

// stuck takes a run that was killed and still runs. In the final stop the
// others go on; otherwise the spec says what follows.
func (m *Machine) stuck(c *Child) {
	c.State = Stuck
	m.note(IsStuck, c)
	if m.phase == Ending {
		return
	}
	var end child.Exit
	if run, ok := c.Run.(Explainer); ok {
		run.Explain(&end)
	}
	end.Kind, end.Reason, end.Err = child.KilledByUs, c.Told, ErrStuck
	exit := m.record(c, &end)
	switch {
	case c.Policy.Stuck == child.Abandon:
		m.detach(c)
		m.ended(c, exit)
	case m.op.kind == initial && c.unready: // nothing may take the place of this attempt
		exit.FailStart()
		c.failed(exit)
		m.shut(End{Cause: InitFailed, Child: c, Exit: *exit})
	case c.Policy.Stuck == child.Escalate:
		m.giveUp(c, exit, false)
	}
}

// detach expects nothing more of c's run.
func (m *Machine) detach(c *Child) {
	m.unschedule(c)
	m.live--
	c.State = Down
	c.tally(&child.Exit{Kind: child.KilledByUs, Reason: c.Told}, ByType, false)
	m.act(Detach, c)
	m.replyDown(c)
}

// cancel ends c's waiting for a restart.
func (m *Machine) cancel(c *Child) {
	m.unschedule(c)
	if c.State != Down {
		c.Since = m.now
	}
	c.State, c.uncounted = Down, false
}
