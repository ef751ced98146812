package process

import (
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
	// Keep: nowhere but to the listeners and the last lines of the [Handle].
	Keep
	// File: to the File of the Output, line by line.
	File
)

var targetWords = words[Target]{"Target", []string{Log: "log", Inherit: "inherit", Discard: "discard", Keep: "keep", File: "file"}}

// String is the constant's name in lower case.
func (t Target) String() string { return targetWords.string(t) }

// MarshalText is [Target.String]; an unknown value is an error.
func (t Target) MarshalText() ([]byte, error) { return targetWords.marshal(t) }

// UnmarshalText is the reverse of [Target.MarshalText].
func (t *Target) UnmarshalText(text []byte) error { return targetWords.unmarshal(text, t) }

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
	// than two seconds beyond the end of a run. Optional; not with another
	// target than Log.
	Writer io.Writer
	// File gets the lines, if To is File: as a Writer gets them, not redacted.
	// Required then, else not allowed.
	File LogFile
	// Raw gives the Writer the bytes as they come, without regard to lines.
	// Optional; needs a Writer.
	Raw bool
	// Label names the stream for the log and for listeners. Two streams with
	// one label are one pipe. Optional; zero is stdout or stderr.
	Label string
	// Rate is how many lines a second are delivered; what is more is dropped
	// and counted. Optional; zero is all.
	Rate int
	// Drop drops and counts lines, instead of holding up the program, when
	// they come faster than the Writer or the log takes them. Optional; zero
	// is that the program waits once its pipe is full.
	Drop bool
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
	m.add(int(o.To) >= len(targetWords.list), field+".To", uint8(o.To), "must be Log, Inherit, Discard, Keep or File")
	o.File.validate(m, field+".File", o.To == File)
	m.add(o.To != Log && o.Writer != nil, field+".To", o.To.String(), "must be Log, the zero value, beside a Writer")
	m.add(o.Raw && o.Writer == nil, field+".Raw", o.Raw, "needs a Writer")
	m.add(o.Rate < 0, field+".Rate", o.Rate, "must not be negative")
	m.add(o.Raw && o.Rate > 0, field+".Rate", o.Rate, "counts lines, which Raw does not know")
}

// captured reports whether the stream comes to us.
func (o Output) captured() bool { return o.To == Log || o.To == Keep || o.To == File }

// shares reports whether both outputs are one pipe: by their label, or because
// they have one writer, or one file.
func (o Output) shares(other Output) bool {
	switch {
	case !o.captured() || o.To != other.To:
		return false
	case o.Label != "" && o.Label == other.Label:
		return true
	case o.To == File:
		return o.File == other.File && o.Label == other.Label
	case o.Writer == nil || other.Writer == nil || o.Label != other.Label:
		return false
	}
	return reflect.TypeOf(o.Writer).Comparable() && safeEqual(o.Writer, other.Writer)
}

// safeEqual compares what may hold something without comparison, deep inside.
func safeEqual(a, b any) (equal bool) {
	defer func() { _ = recover() }()
	return a == b
}
