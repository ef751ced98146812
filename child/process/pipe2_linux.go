package process

import (
	"os"

	"golang.org/x/sys/unix"
)

// pipe2 makes a pipe that no process inherits.
func pipe2(ends []int) error { return unix.Pipe2(ends, unix.O_CLOEXEC) }

// socketpair makes two connected sockets that no process inherits.
func socketpair() ([2]int, error) {
	return unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
}

// nameless is a file in memory that no process inherits.
func nameless(name string) (*os.File, error) {
	fd, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), name), nil
}
