package notify

import (
	"strconv"
	"time"
)

// The variables by which a process learns of its socket and of its watchdog. A
// supervisor that has them for itself must not pass them on.
const (
	SocketVariable      = "NOTIFY_SOCKET"
	WatchdogVariable    = "WATCHDOG_USEC"
	WatchdogPIDVariable = "WATCHDOG_PID"
)

// Options is who speaks over a socket and who listens.
type Options struct {
	// UID is the user that the process runs as.
	UID int
	// Member reports whether a process, which may have ended or end meanwhile,
	// is of the child. Required. It is called from the socket's goroutine. A
	// process may speak before the one who starts it knows its number: Member
	// then waits for that.
	Member func(pid int) bool
	// Deliver gets each message, in the order of sending. Required. It is
	// called by who reads the socket, and must not close it; while it is busy
	// the process waits, and nobody else.
	Deliver func(Message)
}

// Counters is what has become of the datagrams of a socket.
type Counters struct {
	// Taken were understood, in part at least, and delivered unless there was
	// nothing in them to deliver.
	Taken uint64
	// Refused came from somebody else, or named a main process that is not of
	// the child; in the latter case the rest of them was taken.
	Refused uint64
	// Truncated were longer than four kilobytes and are lost.
	Truncated uint64
	// Unknown were not understood, in part at least.
	Unknown uint64
	// Throttled is how often reading had to wait because there were too many.
	Throttled uint64
}

// Environ is what the environment of a process needs that listens to nobody but
// this socket: its path and, if it is not zero, the longest time between two
// signs of life. WATCHDOG_PID, which only the process itself or its parent at
// the fork can know, may be missing: it then means any process.
func Environ(path string, watchdog time.Duration) []string {
	env := []string{SocketVariable + "=" + path}
	if watchdog > 0 {
		env = append(env, WatchdogVariable+"="+strconv.FormatInt(watchdog.Microseconds(), 10))
	}
	return env
}
