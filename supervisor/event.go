package supervisor

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/supervisor/internal/machine"
)

// EventKind is what happened. There is no event of kind zero.
type EventKind uint8

const (
	// ChildAdded: a call has added the child.
	ChildAdded = EventKind(machine.Added) + 1
	// ChildStarting: a run has begun, and its start is not complete.
	ChildStarting = EventKind(machine.Began) + 1
	// ChildStarted: the start of a run is complete.
	ChildStarted = EventKind(machine.Started) + 1
	// ChildExited: a run has ended; Exit says how, Next what follows.
	ChildExited = EventKind(machine.Exited) + 1
	// ChildStopping: a run was told to stop; Reason says why.
	ChildStopping = EventKind(machine.Told) + 1
	// ChildKilled: the grace of a run is over.
	ChildKilled = EventKind(machine.Killing) + 1
	// ChildStuck: a run was killed and still lives.
	ChildStuck = EventKind(machine.IsStuck) + 1
	// ChildRemoved: the child has lost its place.
	ChildRemoved = EventKind(machine.Removed) + 1
	// SupervisorGaveUp: the supervisor above Path ends because of the child.
	SupervisorGaveUp = EventKind(machine.Quit) + 1
	// Missed: this many events, Missed, were not read in time and are lost.
	Missed = SupervisorGaveUp + 1
)

var eventWords = [...]string{
	ChildAdded: "added", ChildStarting: "starting", ChildStarted: "started", ChildExited: "exited",
	ChildStopping: "stopping", ChildKilled: "killed", ChildStuck: "stuck", ChildRemoved: "removed",
	SupervisorGaveUp: "gave_up", Missed: "missed",
}

// String is the kind's word.
func (k EventKind) String() string {
	if int(k) < len(eventWords) && eventWords[k] != "" {
		return eventWords[k]
	}
	return fmt.Sprintf("EventKind(%d)", uint8(k))
}

// MarshalText is [EventKind.String].
func (k EventKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// Next is what follows an exit.
type Next uint8

const (
	// Stays: the child keeps its place and is down until a call starts it.
	Stays = Next(machine.Stays)
	// Restarts: it is started again, at once or after Wait.
	Restarts = Next(machine.Restarts)
	// Goes: it loses its place: it is removed, and nobody starts it again.
	Goes = Next(machine.Goes)
	// Follows: it was stopped along with others, and shares their fate.
	Follows = Next(machine.Follows)
	// Ends: its supervisor ends.
	Ends = Next(machine.Ends)
)

var nextWords = [...]string{Stays: "stays", Restarts: "restarts", Goes: "goes", Follows: "follows", Ends: "ends"}

// String is the constant's name in lower case.
func (n Next) String() string {
	if int(n) < len(nextWords) {
		return nextWords[n]
	}
	return fmt.Sprintf("Next(%d)", uint8(n))
}

// MarshalText is [Next.String].
func (n Next) MarshalText() ([]byte, error) { return []byte(n.String()), nil }

// Event is one change in a tree. It is a plain value.
type Event struct {
	// Seq numbers the events of a tree, from 1, without a gap. It is never zero;
	// that of a Missed is the number of the last event that is lost.
	Seq uint64
	// Time is when it happened; for a Missed, when it was read. Never zero.
	Time time.Time
	// Kind is what happened. Never zero.
	Kind EventKind
	// Path is the child that it happened to; empty for a Missed.
	Path string
	// Incarnation is the run that it happened to. Zero for a Missed, and for a
	// child that has had none.
	Incarnation uint64
	// Reason is why the run was told to stop, for ChildStopping and what
	// follows until the next run begins. Zero, NotTold, if it was not.
	Reason child.Reason
	// Exit is how the run ended, for ChildExited and SupervisorGaveUp: zero is
	// a normal end. For other kinds it is zero and means nothing.
	Exit child.Exit
	// Next is what follows, for ChildExited: zero is Stays. For other kinds it
	// is zero and means nothing.
	Next Next
	// Wait is the delay before the restart, for ChildExited with Restarts: zero
	// is none. For other kinds it is zero.
	Wait time.Duration
	// Restarts is how often the child has been restarted automatically. Zero
	// is never, and for a Missed.
	Restarts uint64
	// Missed is how many events are lost, for the kind Missed; zero for others.
	Missed uint64
}

// String tells the event in one line without control characters.
func (e Event) String() string {
	if e.Kind == Missed {
		return fmt.Sprintf("%d events missed", e.Missed)
	}
	s := fmt.Sprintf("%s %s #%d", e.Path, e.Kind, e.Incarnation)
	switch e.Kind {
	case ChildExited:
		s += ": " + e.Exit.String() + ", " + e.Next.String()
		if e.Wait > 0 {
			s += " in " + e.Wait.String()
		}
	case SupervisorGaveUp:
		s += ": " + e.Exit.String()
	case ChildStopping:
		s += ": " + e.Reason.String()
	}
	return s
}

// Events yields all changes after the one numbered after, in order: those that
// are still held, then those that come. Use [Snapshot.Seq] for after to hear
// of everything that a snapshot does not show; zero begins with the oldest
// that is held. It ends with ctx, with the loop's body, or when the tree has
// ended and all has been told. About two thousand events are held; a reader
// that falls further behind gets an event of kind [Missed] in the place of
// what it lost. No reader can slow the tree.
func (s *Supervisor) Events(ctx context.Context, after uint64) iter.Seq[Event] {
	t := s.tree
	l := s.current()
	return func(yield func(Event) bool) {
		reader := t.hub.reader(after)
		defer reader.close()
		for {
			over := isClosed(l.done)
			batch := reader.batch()
			for i := range batch {
				if !yield(t.event(&batch[i])) {
					return
				}
			}
			switch {
			case reader.behind():
			case over || !reader.wait(ctx, l.done):
				return
			}
			if ctx.Err() != nil {
				return
			}
		}
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// event makes an event of a record.
func (t *tree) event(r *record) Event {
	if r.what == missed {
		return Event{Seq: r.seq, Kind: Missed, Missed: r.restarts, Time: time.Now()}
	}
	e := Event{
		Seq: r.seq, Time: t.wall(r.at), Kind: EventKind(r.what) + 1, Path: r.path,
		Incarnation: r.incarnation, Reason: r.reason, Next: Next(r.next), Wait: r.wait,
		Restarts: r.restarts,
	}
	if r.what == machine.Exited || r.what == machine.Quit {
		e.Exit = r.exit
	}
	return e
}
