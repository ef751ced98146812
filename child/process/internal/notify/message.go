package notify

import (
	"os"
	"syscall"
	"time"
)

// Fields is a set of the fields that a message has.
type Fields uint16

const (
	// Ready is READY=1: the start, or a reload, is complete.
	Ready Fields = 1 << iota
	// Reloading is RELOADING=1: a reload has begun; Ready ends it.
	Reloading
	// Stopping is STOPPING=1: the process has begun to end.
	Stopping
	// Beat is WATCHDOG=1: a sign of life.
	Beat
	// Trigger is WATCHDOG=trigger: the process asks to be treated as one that
	// has given no sign of life in time.
	Trigger
	// Status is STATUS=: what the process is busy with, in Message.Status.
	Status
	// Watchdog is WATCHDOG_USEC=: from now on signs of life come at least this
	// often, in Message.Watchdog; zero is no longer at all.
	Watchdog
	// Extend is EXTEND_TIMEOUT_USEC=: the start or the stop that goes on needs
	// this much time from now, in Message.Extend.
	Extend
	// MainPID is MAINPID=: another process is the main one, in Message.MainPID.
	MainPID
	// Errno is ERRNO=: the error that the process fails of, in Message.Errno.
	Errno
	// Monotonic is MONOTONIC_USEC=: when the message was made, in
	// Message.Monotonic.
	Monotonic
)

// Message is what one datagram says. A field that is not in Fields is zero.
type Message struct {
	// Fields says which fields there are.
	Fields Fields
	// Status is one line of printable text, at most MaxStatus bytes; it may be
	// empty, which clears an earlier one.
	Status string
	// Watchdog is the longest time between two signs of life.
	Watchdog time.Duration
	// Extend is how much time is asked for. Nobody has bounded it.
	Extend time.Duration
	// Monotonic is a moment by the system's monotonic clock.
	Monotonic time.Duration
	// MainPID is the number of a process.
	MainPID int
	// Errno is the number of an error of the system.
	Errno syscall.Errno
	// Main holds the process of MainPID, so that its number cannot become
	// another's unnoticed: a pidfd, not blocking, which can be polled through
	// SyscallConn. Whoever the message is delivered to closes it. Parse leaves
	// it nil.
	Main *os.File
}

// Has reports whether m has all the given fields.
func (m Message) Has(f Fields) bool { return m.Fields&f == f }
