package process

import (
	"fmt"
	"io"
	"reflect"
)

// Target says where a stream of a program goes. The zero value is [Log].
type Target uint8

const (
	// Log: to the Writer of the [Output], if it has one, else each line is a
	// record in the log of the run.
	Log Target = iota
	// Inherit: to where ours goes. The program writes there itself.
	Inherit
	// Discard: to the null device.
	Discard
)

var targetWords = [...]string{Log: "log", Inherit: "inherit", Discard: "discard"}

// String is the constant's name in lower case.
func (t Target) String() string {
	if int(t) < len(targetWords) {
		return targetWords[t]
	}
	return fmt.Sprintf("Target(%d)", uint8(t))
}

// MarshalText is [Target.String]; an unknown value is an error.
func (t Target) MarshalText() ([]byte, error) {
	if int(t) < len(targetWords) {
		return []byte(targetWords[t]), nil
	}
	return nil, fmt.Errorf("process: Target: unknown value %d", uint8(t))
}

// UnmarshalText is the reverse of [Target.MarshalText].
func (t *Target) UnmarshalText(text []byte) error {
	for i, word := range targetWords {
		if word == string(text) {
			*t = Target(i)
			return nil
		}
	}
	return fmt.Errorf("process: Target: unknown word %q", text)
}

// Output says where one stream of a program goes. The zero value logs it: each
// line is a record "output" with the attributes stream, line and, if there is
// more of the line or its end never came, partial. What is logged has passed
// the tree's redactor and has no control characters.
type Output struct {
	// To says where. Optional; zero is Log.
	To Target
	// Writer gets the lines instead of the log, each in one Write that ends in
	// a newline. A line of more than 64 KiB comes in several, of which only
	// the last ends in a newline; a last line that the program did not end is
	// given one. The bytes are the program's own: they are not redacted.
	//
	// The writer may be shared by any number of commands if it allows calls by
	// several goroutines at once, as an *os.File does. One command alone calls
	// it from one goroutine at a time, except after a Write that took longer
	// than half a second beyond the end of a run. Optional; not with another
	// target than Log.
	Writer io.Writer
}

// String is the target's word, or writer.
func (o Output) String() string {
	if o.To == Log && o.Writer != nil {
		return "writer"
	}
	return o.To.String()
}

// GoString names the target, so that %#v does not look into a live writer.
func (o Output) GoString() string { return "process.Output(" + o.String() + ")" }

// MarshalText is [Output.String].
func (o Output) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

func (o Output) validate(m *mistakes, field string) {
	m.add(int(o.To) >= len(targetWords), field+".To", o.To, "must be Log, Inherit or Discard")
	m.add(o.To != Log && o.Writer != nil, field+".To", o.To, "must be Log, the zero value, beside a Writer")
}

// shares reports whether both outputs are one writer, and so one pipe.
func (o Output) shares(other Output) bool {
	if o.To != Log || other.To != Log || o.Writer == nil || other.Writer == nil {
		return false
	}
	return reflect.TypeOf(o.Writer).Comparable() && safeEqual(o.Writer, other.Writer)
}

// safeEqual compares what may hold something without comparison, deep inside.
func safeEqual(a, b any) (equal bool) {
	defer func() { _ = recover() }()
	return a == b
}
