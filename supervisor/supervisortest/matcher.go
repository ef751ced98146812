package supervisortest

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/supervisor"
)

// A Matcher says which event is meant. The zero value means any event. It is a
// value: it can be copied and kept, and used by several goroutines if the
// functions given to [Where] can.
type Matcher struct {
	text string
	is   func(supervisor.Event) bool // nil for any event
}

// Where means an event for which is reports true; text says in an error what
// that is. A nil is reports true for every event.
func Where(text string, is func(supervisor.Event) bool) Matcher { return Matcher{text, is} }

// Match reports whether e is meant.
func (m Matcher) Match(e supervisor.Event) bool { return m.is == nil || m.is(e) }

// String says what is meant.
func (m Matcher) String() string {
	if m.text == "" {
		return "any event"
	}
	return m.text
}

// And means an event that m and all the others mean.
func (m Matcher) And(others ...Matcher) Matcher {
	for _, o := range others {
		a := m
		m = Where(a.String()+" and "+o.String(), func(e supervisor.Event) bool { return a.Match(e) && o.Match(e) })
	}
	return m
}

// Or means an event that m or one of the others means.
func (m Matcher) Or(others ...Matcher) Matcher {
	if len(others) == 0 {
		return m
	}
	all := append([]Matcher{m}, others...)
	texts := make([]string, len(all))
	for i, o := range all {
		texts[i] = o.String()
	}
	return Where("("+strings.Join(texts, " or ")+")", func(e supervisor.Event) bool {
		for _, o := range all {
			if o.Match(e) {
				return true
			}
		}
		return false
	})
}

// Not means an event that m does not mean.
func Not(m Matcher) Matcher {
	return Where("not ("+m.String()+")", func(e supervisor.Event) bool { return !m.Match(e) })
}

// Kind means an event of that kind.
func Kind(k supervisor.EventKind) Matcher {
	return Where(k.String(), func(e supervisor.Event) bool { return e.Kind == k })
}

// Path means an event of the child at that path.
func Path(p string) Matcher {
	return Where(p, func(e supervisor.Event) bool { return e.Path == p })
}

// Below means an event of a child somewhere below the supervisor at that path.
func Below(p string) Matcher {
	return Where("below "+p, func(e supervisor.Event) bool { return strings.HasPrefix(e.Path, p+"/") })
}

// Incarnation means an event of the run of that number.
func Incarnation(n uint64) Matcher {
	return Where(fmt.Sprintf("#%d", n), func(e supervisor.Event) bool { return e.Incarnation == n })
}

// Next means an exit that is followed by n.
func Next(n supervisor.Next) Matcher {
	return Where("next "+n.String(), func(e supervisor.Event) bool {
		return e.Kind == supervisor.ChildExited && e.Next == n
	})
}

// Cause means an exit, or the end of a supervisor, that was caused by err, as
// errors.Is says.
func Cause(err error) Matcher {
	return Where(fmt.Sprintf("because of %q", err), func(e supervisor.Event) bool { return errors.Is(e.Exit.Err, err) })
}

// happens means an event of that kind of the child at path p.
func happens(k supervisor.EventKind, p, more string, is func(supervisor.Event) bool) Matcher {
	return Where(p+" "+k.String()+more, func(e supervisor.Event) bool {
		return e.Kind == k && e.Path == p && (is == nil || is(e))
	})
}

// Added means that a call has added the child at path p.
func Added(p string) Matcher { return happens(supervisor.ChildAdded, p, "", nil) }

// Starting means that a run of the child at path p has begun whose start takes
// time: that of a supervisor, say, or of a child with a Readiness.
func Starting(p string) Matcher { return happens(supervisor.ChildStarting, p, "", nil) }

// Started means that a start of the child at path p is complete, be it the
// first or a later one.
func Started(p string) Matcher { return happens(supervisor.ChildStarted, p, "", nil) }

// Restarted means that a start of the child at path p is complete that is not
// its first: whether it had failed, shared the fate of a sibling or of its
// supervisor, or was restarted by a call.
func Restarted(p string) Matcher {
	return happens(supervisor.ChildStarted, p, " again", func(e supervisor.Event) bool { return e.Incarnation > 1 })
}

// Exited means that a run of the child at path p has ended with an exit of kind
// k, whether it had been told to stop or not.
func Exited(p string, k child.Kind) Matcher {
	return happens(supervisor.ChildExited, p, ": "+k.String(), func(e supervisor.Event) bool { return e.Exit.Kind == k })
}

// Stopping means that a run of the child at path p was told to stop for that
// reason.
func Stopping(p string, r child.Reason) Matcher {
	return happens(supervisor.ChildStopping, p, ": "+r.String(), func(e supervisor.Event) bool { return e.Reason == r })
}

// Terminated means that a run of the child at path p has ended that had been
// told to stop, whatever it answered.
func Terminated(p string) Matcher {
	return happens(supervisor.ChildExited, p, " as it was told", func(e supervisor.Event) bool { return e.Reason != child.NotTold })
}

// Killed means that the grace of a run of the child at path p is over.
func Killed(p string) Matcher { return happens(supervisor.ChildKilled, p, "", nil) }

// Stuck means that a run of the child at path p was killed and still lives.
func Stuck(p string) Matcher { return happens(supervisor.ChildStuck, p, "", nil) }

// Removed means that the child at path p has lost its place.
func Removed(p string) Matcher { return happens(supervisor.ChildRemoved, p, "", nil) }

// GaveUp means that the supervisor at path p gives up, whichever child is the
// cause: that child is the event's, so And(Path(...)) asks for it.
func GaveUp(p string) Matcher {
	return Where(p+" "+supervisor.SupervisorGaveUp.String(), func(e supervisor.Event) bool {
		return e.Kind == supervisor.SupervisorGaveUp && path.Dir(e.Path) == p
	})
}
