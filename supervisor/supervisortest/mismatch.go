package supervisortest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/coppice-go/coppice/supervisor"
)

// Why a call failed. The end of the watcher's context is told by its cause.
var (
	// ErrTimeout: the timeout ran out.
	ErrTimeout = errors.New("it did not come in time")
	// ErrEnded: the tree has ended, and all its events have been read.
	ErrEnded = errors.New("the tree has ended")
	// ErrUnexpected: an event came that ExpectExactly does not want.
	ErrUnexpected = errors.New("another event came")
	// ErrMissed: events were lost, for a tree holds about two thousand. Watch
	// earlier, more often, or after a later number.
	ErrMissed = errors.New("events were lost before they were read")
	// ErrTooMany: ten thousand events came, and what was wanted did not.
	ErrTooMany = errors.New("too many other events came")
)

// A MismatchError says that the events were not those that a test expects.
type MismatchError struct {
	// Want is what was expected.
	Want []Matcher
	// Got are the events that came, in order, as far as they were read.
	Got []supervisor.Event
	// Met are the positions in Got of the events that were expected, in the
	// order of Want; its length is how many of Want came.
	Met []int
	// Exactly says that no other events were allowed.
	Exactly bool
	// Timeout is how long the call could wait.
	Timeout time.Duration
	// Err is why the call ended: one of this package's errors, or the cause of
	// the end of the watcher's context.
	Err error
}

func (c *comparison) mismatch(timeout time.Duration) *MismatchError {
	return &MismatchError{Want: c.want, Got: c.got, Met: c.met, Exactly: c.exactly, Timeout: timeout, Err: c.why}
}

// Unwrap is Err.
func (e *MismatchError) Unwrap() error { return e.Err }

// Error tells in several lines what was expected, what came, and where they
// differ. An expectation and the event that met it have the same number; an
// arrow is where they differ.
func (e *MismatchError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "supervisortest: %s\n", e.summary())
	e.expected(&b)
	e.came(&b)
	return strings.TrimSuffix(b.String(), "\n")
}

// summary is the first line.
func (e *MismatchError) summary() string {
	why := e.Err.Error()
	if errors.Is(e.Err, ErrTimeout) {
		why += " (" + e.Timeout.String() + ")"
	}
	if len(e.Met) == len(e.Want) {
		return "all came, but then: " + why
	}
	return fmt.Sprintf("waiting for %d of %d, %s: %s", len(e.Met)+1, len(e.Want), e.Want[len(e.Met)], why)
}

// expected lists what was expected.
func (e *MismatchError) expected(b *strings.Builder) {
	how := "in this order"
	if e.Exactly {
		how = "in this order and nothing else"
	}
	fmt.Fprintf(b, "expected, %s:\n", how)
	if len(e.Want) == 0 {
		b.WriteString("      nothing\n")
	}
	for i, want := range e.Want {
		fmt.Fprintf(b, "%s%3d %s\n", arrow(i == len(e.Met)), i+1, want)
	}
}

// shown is how many of the events at the end are shown, among them the one that
// ended the call. Those that met an expectation are shown all.
const shown = 40

// came lists the events that came, with the time since the first of them.
func (e *MismatchError) came(b *strings.Builder) {
	b.WriteString("came:\n")
	if len(e.Got) == 0 {
		b.WriteString("      nothing\n")
		return
	}
	wrong, began := e.wrong(), e.began()
	hidden := 0
	for i, event := range e.Got {
		number := ""
		if n := slices.Index(e.Met, i); n >= 0 {
			number = fmt.Sprint(n + 1)
		} else if i < len(e.Got)-shown {
			hidden++
			continue
		}
		if hidden > 0 {
			fmt.Fprintf(b, "      ... %d others\n", hidden)
			hidden = 0
		}
		at := ""
		if event.Kind != supervisor.Missed {
			at = fmt.Sprintf("+%v ", event.Time.Sub(began))
		}
		fmt.Fprintf(b, "%s%3s %s%s\n", arrow(i == wrong), number, at, event)
	}
}

// began is the time of the first event; what is missed has none.
func (e *MismatchError) began() time.Time {
	for _, event := range e.Got {
		if event.Kind != supervisor.Missed {
			return event.Time
		}
	}
	return time.Time{}
}

// wrong is the position of the event that ended the call, -1 if none did.
func (e *MismatchError) wrong() int {
	switch {
	case errors.Is(e.Err, ErrUnexpected):
		return len(e.Met) // every event before it was expected
	case errors.Is(e.Err, ErrMissed):
		return slices.IndexFunc(e.Got, func(event supervisor.Event) bool { return event.Kind == supervisor.Missed })
	}
	return -1
}

func arrow(here bool) string {
	if here {
		return "> "
	}
	return "  "
}
