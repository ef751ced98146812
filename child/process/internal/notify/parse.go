package notify

import (
	"bytes"
	"errors"
	"math"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unicode/utf8"
)

// MaxStatus is how many bytes of a status are kept.
const MaxStatus = 1024

// maxErrno is the largest number that a system call of Linux can return.
const maxErrno = 4095

// ErrUnknown is a datagram of which not everything was understood: it has a
// field that is not in the list, a value that makes no sense, or nothing at all.
var ErrUnknown = errors.New("notify: a field is unknown or its value makes no sense")

// words are the fields that have one value.
var words = map[string]Fields{
	"READY=1": Ready, "RELOADING=1": Reloading, "STOPPING=1": Stopping,
	"WATCHDOG=1": Beat, "WATCHDOG=trigger": Trigger,
	// A barrier says nothing: its sender waits until a descriptor is closed,
	// and those are closed whatever they come with.
	"BARRIER=1": 0,
}

// Parse reads a datagram: assignments, one a line. Of several to one field the
// first counts. What is not understood is left out, and the error is then
// ErrUnknown; the rest of the message is good all the same.
func Parse(datagram []byte) (Message, error) {
	var m Message
	known, unknown := 0, 0
	// Senders in C may count the end of their string.
	for line := range bytes.SplitSeq(bytes.TrimRight(datagram, "\x00"), []byte{'\n'}) {
		switch {
		case len(line) == 0:
		case m.assign(string(line)):
			known++
		default:
			unknown++
		}
	}
	if unknown > 0 || known == 0 {
		return m, ErrUnknown
	}
	return m, nil
}

// assign takes one line. It is false if that was not understood.
func (m *Message) assign(line string) bool {
	if field, ok := words[line]; ok {
		m.Fields |= field
		return true
	}
	key, value, _ := strings.Cut(line, "=")
	switch key {
	case "STATUS":
		return set(m, Status, &m.Status, clean(value), true)
	case "WATCHDOG_USEC":
		d, ok := microseconds(value)
		return set(m, Watchdog, &m.Watchdog, d, ok)
	case "EXTEND_TIMEOUT_USEC":
		d, ok := microseconds(value)
		return set(m, Extend, &m.Extend, d, ok)
	case "MONOTONIC_USEC":
		d, ok := microseconds(value)
		return set(m, Monotonic, &m.Monotonic, d, ok)
	case "MAINPID":
		n, ok := number(value, math.MaxInt32)
		return set(m, MainPID, &m.MainPID, int(n), ok && n > 0)
	case "ERRNO":
		n, ok := number(value, maxErrno)
		return set(m, Errno, &m.Errno, syscall.Errno(n), ok)
	}
	return false
}

// set makes value that of the field, if it is good and the first.
func set[T any](m *Message, field Fields, to *T, value T, good bool) bool {
	if good && !m.Has(field) {
		m.Fields |= field
		*to = value
	}
	return good
}

func number(s string, most uint64) (uint64, bool) {
	n, err := strconv.ParseUint(s, 10, 64)
	return n, err == nil && n <= most
}

// microseconds reads a duration. What is too long for one, as systemd's word
// for infinity is, becomes the longest that there is.
func microseconds(s string) (time.Duration, bool) {
	n, ok := number(s, math.MaxUint64)
	return time.Duration(min(n, math.MaxInt64/1000)) * time.Microsecond, ok
}

// clean makes data of what a process says: valid UTF-8 without control
// characters, line breaks or anything else that does not print, for which a
// space stands, and bounded.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if strconv.IsPrint(r) {
			return r
		}
		return ' '
	}, s)
	s = strings.TrimSpace(s)
	if len(s) <= MaxStatus {
		return s
	}
	const cut = "..."
	end := MaxStatus - len(cut)
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + cut
}
