package process

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/coppice-go/coppice/child"
)

// A FieldError tells one mistake in one field of a [Command] or a [Config].
type FieldError struct {
	// Field is the type and the field, as in Command.Path or Command.Env[3];
	// of a Config it is the name in JSON.
	Field string
	// Value is what stands in the field. It is nil for arguments and
	// environment, which may be secret.
	Value any
	// Reason says what the field takes, as the end of a sentence.
	Reason string
}

// Error is the mistake as in: process: Command.Dir: "a\x00": must not ....
func (e *FieldError) Error() string {
	switch e.Value.(type) {
	case nil:
		return fmt.Sprintf("process: %s: %s", e.Field, e.Reason)
	case string, []string, fmt.Stringer:
		return fmt.Sprintf("process: %s: %q: %s", e.Field, e.Value, e.Reason)
	}
	return fmt.Sprintf("process: %s: %v: %s", e.Field, e.Value, e.Reason)
}

// Validate reports every mistake in c that can be told without looking at the
// machine, each as a [*FieldError], joined by [errors.Join]. Whether the
// program is there is known when it is started.
func (c Command) Validate() error {
	var m mistakes
	m.add(c.Path == "", "Path", c.Path, "must name a program")
	m.add(hasNUL(c.Path), "Path", c.Path, noNUL)
	m.add(hasNUL(c.Dir), "Dir", c.Dir, noNUL)
	for i, arg := range c.Args {
		m.add(hasNUL(arg), "Args"+index(i), nil, noNUL)
	}
	for i, entry := range c.Env {
		m.add(hasNUL(entry), "Env"+index(i), nil, noNUL)
		m.add(strings.IndexByte(entry, '=') < 1, "Env"+index(i), nil, "must have the form KEY=value")
	}
	m.add(int(c.Stdin.From) >= len(sourceWords.list), "Stdin.From", uint8(c.Stdin.From), "must be Empty, Piped or Ours")
	c.Stdout.validate(&m, "Stdout")
	c.Stderr.validate(&m, "Stderr")
	c.validateDetach(&m)
	c.descriptors(&m)
	c.validateReady(&m)
	c.Notify.validate(&m, c.System.Chroot)
	m.add(c.Idle < 0, "Idle", c.Idle, "must not be negative")
	m.add(c.Idle > 0 && !c.Stdout.captured() && !c.Stderr.captured(), "Idle", c.Idle, "needs a stream that comes to us")
	c.System.validate(&m)
	c.Stop.validate(&m, "Stop", c.Stdin)
	c.Abort.validate(&m, "Abort", c.Stdin)
	c.Reload.validate(&m, "Reload", c.Stdin)
	c.Endings.validate(&m)
	c.Quota.validate(&m)
	c.Containment.validate(&m)
	m.add(int(c.Leftovers) >= len(leftoverWords.list), "Leftovers", uint8(c.Leftovers), "must be KillThem, StopThem or LeaveThem")
	m.add(int(c.Orphan) >= len(orphanWords.list), "Orphan", uint8(c.Orphan), "must be DieToo or LiveOn")
	c.supported(&m)
	return errors.Join(m...)
}

// validateDetach refuses a stream that nobody would read after the stop: the
// process would end by SIGPIPE at its next line.
func (c Command) validateDetach(m *mistakes) {
	const reason = "must be Inherit or Discard with Detach: nobody reads it after a stop"
	m.add(c.Detach && c.Stdout.captured(), "Stdout.To", c.Stdout.String(), reason)
	m.add(c.Detach && c.Stderr.captured(), "Stderr.To", c.Stderr.String(), reason)
}

// descriptors checks what is passed on.
func (c Command) descriptors(m *mistakes) {
	for i, s := range c.Sockets {
		m.add(s.File == nil, "Sockets"+index(i)+".File", nil, "must be open")
		m.add(strings.ContainsAny(s.Name, ":\x00\n") || len(s.Name) > 255, "Sockets"+index(i)+".Name", s.Name, "must be at most 255 characters without a colon")
	}
	seen := map[string]bool{}
	for i, s := range c.Streams {
		m.add(s.Name == "", "Streams"+index(i)+".Name", s.Name, "must not be empty")
		m.add(seen[s.Name], "Streams"+index(i)+".Name", s.Name, "must be unique in its command")
		seen[s.Name] = true
	}
}

// ValidateSpec checks c against the spec of the child that it runs. A
// supervisor calls it where it finds it.
func (c Command) ValidateSpec(s child.Spec) error {
	grace := s.Shutdown
	if grace == 0 {
		grace = child.DefaultShutdown
	}
	r := c.rules()
	var m mistakes
	for _, l := range []struct {
		field  string
		ladder Ladder
	}{{"Stop", r.stops(false)}, {"Abort", r.stops(true)}} {
		least := l.ladder.least()
		m.add(grace > 0 && least > grace, l.field, least, "must not take longer than the child's Shutdown of "+grace.String())
	}
	return errors.Join(m...)
}

const noNUL = "must not contain a NUL byte"

func hasNUL(s string) bool { return strings.IndexByte(s, 0) >= 0 }

func index(i int) string { return "[" + itoa(i) + "]" }

func itoa(i int) string { return strconv.Itoa(i) }

type mistakes []error

func (m *mistakes) add(wrong bool, field string, value any, reason string) {
	if wrong {
		*m = append(*m, &FieldError{Field: "Command." + field, Value: value, Reason: reason})
	}
}
