package notify

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// admits reports whether the sender that the kernel names may speak here.
func (s *Socket) admits(control []byte) bool {
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil || len(messages) != 1 {
		return false
	}
	sender, err := unix.ParseUnixCredentials(&messages[0])
	if err != nil || sender.Pid <= 0 { // 0 is a process that our namespace does not see
		return false
	}
	if uid := int(sender.Uid); uid != s.options.UID && uid != os.Getuid() {
		return false
	}
	// In this order: a member that ends in between has ended.
	return s.options.Member(int(sender.Pid)) || hasEnded(int(sender.Pid))
}

// pin takes hold of the main process that m names. It is false if that does not
// live or is not of the child.
func (s *Socket) pin(m *Message) bool {
	fd, err := pidfd(m.MainPID)
	if err != nil {
		return false
	}
	// What has a descriptor is the process that the number means from here on,
	// as long as that process lives: so the last look is whether it does.
	if !s.options.Member(m.MainPID) || isOver(fd) {
		_ = unix.Close(fd)
		return false
	}
	m.Main = os.NewFile(uintptr(fd), "pidfd")
	return true
}

// pidfd is a descriptor for a process that does not block. It holds the process,
// not the number.
func pidfd(pid int) (int, error) {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return -1, err
	}
	if err := unix.SetNonblock(fd, true); err != nil { // PIDFD_NONBLOCK is younger
		_ = unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// hasEnded reports whether no process of that number runs; a zombie does not.
func hasEnded(pid int) bool {
	fd, err := unix.PidfdOpen(pid, 0)
	switch {
	case err == nil:
		defer unix.Close(fd)
		return isOver(fd)
	case errors.Is(err, unix.ESRCH), errors.Is(err, unix.EINVAL), errors.Is(err, unix.ENOENT):
		return true // the number is nobody's, or only a thread's
	}
	// There are no such descriptors here, or none left.
	return errors.Is(unix.Kill(pid, 0), unix.ESRCH)
}

// isOver reports whether the process of a pidfd has ended.
func isOver(fd int) bool {
	for {
		ready, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0)
		if !errors.Is(err, unix.EINTR) {
			return err == nil && ready > 0
		}
	}
}
