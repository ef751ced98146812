package machine

import (
	"time"

	"github.com/coppice-go/coppice/child"
)

// Do is what the driver is to do.
type Do uint8

const (
	// Launch: begin the run Incarnation of Child.
	Launch Do = iota
	// Tell: end the context of Child's run; Child.Told says why.
	Tell
	// Kill: the grace of Child's run is over.
	Kill
	// Detach: Child's run does not end; nothing more is expected of it.
	Detach
	// Forget: Child has lost its place.
	Forget
	// Reply: Request has its answer.
	Reply
	// Note: tell the world What happened.
	Note
	// Complete: all children have started.
	Complete
	// Blocked: nothing but stuck runs is left of a stop.
	Blocked
	// Over: the supervisor has ended; End says why.
	Over
)

// What happened, for a Note.
type What uint8

const (
	// Added: the child has a place.
	Added What = iota
	// Began: its run has begun, and its start takes time.
	Began
	// Started: its start is complete.
	Started
	// Exited: its run has ended, by itself or because it was told.
	Exited
	// Told: its run was told to stop.
	Told
	// Killing: its grace is over.
	Killing
	// IsStuck: it was killed and still runs.
	IsStuck
	// Removed: the child has no place any more.
	Removed
	// Quit: the supervisor gives up because of the child.
	Quit
)

// Next says what follows an exit, for a Note of Exited.
type Next uint8

const (
	// Stays: the child stays down.
	Stays Next = iota
	// Restarts: it is started again, now or after Wait.
	Restarts
	// Goes: it loses its place.
	Goes
	// Follows: the procedure that told it to stop says what follows.
	Follows
	// Ends: its supervisor ends.
	Ends
)

// Action is one thing that the driver is to do. Which fields are set depends
// on Do.
type Action struct {
	Do          Do
	What        What
	Next        Next
	Child       *Child
	Incarnation uint64
	Request     *Request
	Wait        time.Duration
	Reason      child.Reason // why the run was told to stop, if it was
	Exit        *child.Exit  // valid until the next input
}

// The functions that append actions are kept from being inlined, and set fields
// one by one: a child's goroutine runs the machine, and its stack begins with
// two kilobytes.

//go:noinline
func (m *Machine) act(do Do, c *Child) *Action {
	m.out = append(m.out, Action{})
	a := &m.out[len(m.out)-1]
	a.Do, a.Child = do, c
	return a
}

func (m *Machine) note(w What, c *Child) *Action {
	a := m.act(Note, c)
	a.What, a.Incarnation, a.Reason = w, c.Incarnation, c.Told
	return a
}

// noteExit tells how the last run of c ended and what follows.
func (m *Machine) noteExit(c *Child, exit *child.Exit, next Next, wait time.Duration) {
	a := m.note(Exited, c)
	a.Exit, a.Next, a.Wait, a.Reason = exit, next, wait, exit.Reason
}
