package process

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/coppice-go/coppice/child"
)

// A StartError is why a program did not start. It shows neither arguments nor
// environment. Serve returns it within a [*child.StartError], which says
// whether the same start may succeed later.
type StartError struct {
	// Step is what failed: hook, lookup, notify, descriptors, fork, cgroup,
	// session, group, umask, nice, io priority, cpus, limits, oom score,
	// chroot, user, capabilities, no new privileges, parent death, directory,
	// exec or pidfile. Where the system does not tell these apart it is exec.
	Step string
	// Path is the program.
	Path string
	// Reason says what was wrong, in words. Optional.
	Reason string
	// Err is the system's answer: a syscall.Errno, or another error.
	Err error
}

// Error is the program, the reason and the system's answer in one line.
func (e *StartError) Error() string {
	s := "process: " + printable(e.Path) + ": "
	if e.Reason == "" {
		return fmt.Sprintf("%s%s: %v", s, e.Step, e.Err)
	}
	return fmt.Sprintf("%s%s: %s: %v", s, e.Step, e.Reason, e.Err)
}

// Unwrap is Err.
func (e *StartError) Unwrap() error { return e.Err }

// failed makes the error of a start.
func (c Command) failed(step, reason string, err error) error {
	return &child.StartError{
		Err:       &StartError{Step: step, Path: c.Path, Reason: reason, Err: err},
		Temporary: isTemporary(err),
	}
}

// isTemporary reports whether something was short, so that the same start may
// succeed later.
func isTemporary(err error) bool {
	for _, errno := range []syscall.Errno{
		syscall.EAGAIN, syscall.ENOMEM, syscall.EMFILE, syscall.ENFILE, // too many of something
		syscall.ETXTBSY, // somebody is still writing the program
	} {
		if errors.Is(err, errno) {
			return true
		}
	}
	return false
}
