package process

import "golang.org/x/sys/unix"

// pipe2 makes a pipe that no process inherits.
func pipe2(ends []int) error { return unix.Pipe2(ends, unix.O_CLOEXEC) }

// socketpair makes two connected sockets that no process inherits.
func socketpair() ([2]int, error) {
	return unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
}
