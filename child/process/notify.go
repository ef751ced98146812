package process

import (
	"fmt"
	"strings"
	"syscall"
	"time"

	"github.com/coppice-go/coppice/child"
)

// Notify gives a process a socket to which it tells, by systemd's protocol
// sd_notify(3), that it is ready, alive, reloading, stopping, or busy with
// something. The zero value gives it none; each field that is set gives it one.
// What it says shows in the snapshot of the tree and by [Handle.Said].
//
// Each process has a socket of its own, in a directory that only its user and
// we can enter, under NOTIFY_SOCKET. It is heard if its user is the process's
// or ours, and if it is the process, of its group, session or control group, or
// a descendant whose parents live, or has ended already; others are refused and
// counted. A hundred datagrams a second are read: one that says more waits.
//
//   - READY=1 completes the start, if Ready is set, or a reload.
//   - RELOADING=1, STOPPING=1, STATUS= and ERRNO= are shown.
//   - WATCHDOG=1 is a sign of life, for Watchdog.
//   - WATCHDOG=trigger fails the run, with or without a Watchdog.
//   - WATCHDOG_USEC= changes the time of the Watchdog; 0 ends it.
//   - EXTEND_TIMEOUT_USEC= asks for time: for the start, if [Ready] bounds it,
//     and for the rung of the ladder that goes on in a stop, but never for more
//     than the stop may take; and, after STOPPING=1, for the Watchdog. An hour
//     at most is given at once.
//   - MAINPID= names a process, which must run and be one of those who are
//     heard: when the first process ends with the code 0, the run goes on with
//     that one, as it does by a [Command.PIDFile].
//   - BARRIER=1 falls when everything before it has been heard. Descriptors
//     are not taken: they are closed, whatever they come with.
//
// Linux only.
type Notify struct {
	// Listen gives the process a socket even if nothing else here is set.
	// Optional.
	Listen bool
	// Ready makes READY=1 one of the signs that complete the start; see
	// [Ready] for others. Optional.
	Ready bool
	// Watchdog is the longest time between two signs of life, told in
	// WATCHDOG_USEC. Without one in time, from the end of the start on, the run
	// fails with a [*WatchdogError], and the process is ended by the ladders
	// Abort and Stop. A stop ends it. WATCHDOG_PID is not set: any process of
	// the child may give the sign. Optional; zero is none.
	Watchdog time.Duration
}

func (n Notify) isSet() bool { return n != Notify{} }

func (n Notify) validate(m *mistakes, chroot string) {
	m.add(n.Watchdog != 0 && n.Watchdog < time.Millisecond, "Notify.Watchdog", n.Watchdog, "must not be shorter than a millisecond")
	m.add(n.isSet() && chroot != "", "Notify", nil, "cannot be reached from below System.Chroot")
}

// A WatchdogError is how a run ended whose process gave no sign of life in
// time. The exit has the kind KilledByUs.
type WatchdogError struct {
	// Interval is how long a sign of life was waited for; zero if the process
	// itself asked for this end by WATCHDOG=trigger.
	Interval time.Duration
}

// Error says what was missing.
func (e *WatchdogError) Error() string {
	if e.Interval == 0 {
		return "watchdog: it asked for it (WATCHDOG=trigger)"
	}
	return fmt.Sprintf("watchdog: no WATCHDOG=1 for %v", e.Interval)
}

// StopReason is [child.ByBeat].
func (*WatchdogError) StopReason() child.Reason { return child.ByBeat }

// ExitCause is child.CauseWatchdog.
func (*WatchdogError) ExitCause() child.Cause { return child.CauseWatchdog }

// Said is what a process has told its socket so far. The zero value is nothing.
type Said struct {
	// Ready: READY=1 has come.
	Ready bool
	// Reloading: RELOADING=1 has come, and no READY=1 after it.
	Reloading bool
	// Stopping: STOPPING=1 has come.
	Stopping bool
	// Status is the last STATUS=: a line of printable text, at most a kilobyte.
	Status string
	// Errno is the last ERRNO=; zero is none.
	Errno syscall.Errno
	// MainPID is the last MAINPID= that was taken; zero is none.
	MainPID int
	// Beat is when the last WATCHDOG=1 came; zero is never.
	Beat time.Time
	// Watchdog is the longest time between two signs of life that is accepted
	// now; zero is any.
	Watchdog time.Duration

	// Taken is how many datagrams were understood, in part at least.
	Taken uint64
	// Refused is how many came from somebody else, or named a main process that
	// is none of the child's.
	Refused uint64
	// Truncated is how many were longer than four kilobytes, and are lost.
	Truncated uint64
	// Unknown is how many were not understood, in part at least.
	Unknown uint64
	// Throttled is how often reading had to wait because there were too many.
	Throttled uint64
}

// Said is what the process has told its socket; nothing without a
// [Command.Notify].
func (h *Handle) Said() Said { return h.proc.said() }

// line is what a snapshot shows.
func (s Said) line() string {
	var parts []string
	switch {
	case s.Stopping:
		parts = append(parts, "stopping")
	case s.Reloading:
		parts = append(parts, "reloading")
	}
	if s.Errno != 0 {
		parts = append(parts, s.Errno.Error())
	}
	if s.Status != "" {
		parts = append(parts, s.Status)
	}
	return strings.Join(parts, ": ")
}
