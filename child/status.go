package child

import (
	"syscall"
	"time"
)

// A StatusError is how a process ended, as its [Service] returns it: by a code
// or by a signal. The exit has kind ExitCode or Signalled then.
type StatusError struct {
	// Code is the exit code, if no signal ended the process.
	Code int
	// Signal ended the process, unless it is 0.
	Signal syscall.Signal
	// Core says that the system wrote a core file.
	Core bool
	// OOM says that the system killed it because it, or its control group, had
	// no memory left. It is known where the process has a control group.
	OOM bool
	// Lived is how long the process ran.
	Lived time.Duration
	// Usage is what it has used.
	Usage Usage
	// Output is the end of what it printed, at most a kilobyte: redacted, and
	// without control characters except for the ends of lines.
	Output string
}

// Usage is what a process has used, itself and those descendants that it has
// waited for. The zero value is nothing, or not known.
type Usage struct {
	// User is the processor time in its own code.
	User time.Duration
	// System is the processor time in the kernel.
	System time.Duration
	// MaxRSS is the most memory that was resident, in bytes.
	MaxRSS int64
}

// Error is the status in words.
func (e *StatusError) Error() string {
	var exit Exit
	e.fill(&exit)
	return exit.String()
}

func (e *StatusError) fill(exit *Exit) {
	exit.Kind, exit.Code = ExitCode, int32(e.Code)
	if e.Signal != 0 {
		exit.Kind, exit.Code, exit.Signal, exit.Core, exit.OOM = Signalled, 0, e.Signal, e.Core, e.OOM
	}
}
