package process

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// A FieldError tells one mistake in one field of a [Command].
type FieldError struct {
	// Field is the type and the field, as in Command.Path or Command.Env[3].
	Field string
	// Value is what stands in the field. It is nil for arguments and
	// environment, which may be secret.
	Value any
	// Reason says what the field takes, as the end of a sentence.
	Reason string
}

// Error is the mistake as in: process: Command.Dir: "a\x00": must not ....
func (e *FieldError) Error() string {
	if e.Value == nil {
		return fmt.Sprintf("process: %s: %s", e.Field, e.Reason)
	}
	return fmt.Sprintf("process: %s: %q: %s", e.Field, e.Value, e.Reason)
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
		m.add(!strings.Contains(entry, "="), "Env"+index(i), nil, "must have the form KEY=value")
	}
	c.Stdout.validate(&m, "Stdout")
	c.Stderr.validate(&m, "Stderr")
	return errors.Join(m...)
}

const noNUL = "must not contain a NUL byte"

func hasNUL(s string) bool { return strings.IndexByte(s, 0) >= 0 }

func index(i int) string { return "[" + strconv.Itoa(i) + "]" }

type mistakes []error

func (m *mistakes) add(wrong bool, field string, value any, reason string) {
	if wrong {
		*m = append(*m, &FieldError{Field: "Command." + field, Value: value, Reason: reason})
	}
}
