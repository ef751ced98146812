//go:build unix && !linux

package process

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// pipe2 makes a pipe that no process inherits: none is forked in between.
func pipe2(ends []int) error {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if err := unix.Pipe(ends); err != nil {
		return err
	}
	unix.CloseOnExec(ends[0])
	unix.CloseOnExec(ends[1])
	return nil
}

// socketpair makes two connected sockets that no process inherits.
func socketpair() ([2]int, error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	ends, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err == nil {
		unix.CloseOnExec(ends[0])
		unix.CloseOnExec(ends[1])
	}
	return ends, err
}

// nameless is a file that has no name any more.
func nameless(name string) (*os.File, error) {
	f, err := os.CreateTemp("", name)
	if err == nil {
		_ = os.Remove(f.Name()) // at worst it stays, and is empty
	}
	return f, err
}
