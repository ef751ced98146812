package process

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/coppice-go/coppice/child"
)

// startError is why c did not start: what says what was wrong with it, err is
// the system's answer. It shows neither arguments nor environment.
func startError(c Command, what string, err error) error {
	return &child.StartError{
		Err:       fmt.Errorf("process: %s: %s: %w", printable(c.Path), what, err),
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
