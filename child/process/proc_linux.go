package process

import (
	"bytes"
	"errors"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// ended tells of the end by a descriptor for the process, in Go's poller. No
// thread waits.
type ended struct {
	pidfd int // -1 where the kernel has none; watch closes it
}

const fionread = unix.TIOCINQ

func (p *proc) attr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, PidFD: &p.pidfd}
}

// watch closes exited when the leader has ended. It leaves it a zombie: while
// it is one, its number and that of the group belong to nobody else.
func (p *proc) watch() {
	awaitExit(p.pid, p.pidfd)
	close(p.exited)
}

func (p *proc) reap() error { return wait4(p.pid) }

// awaitExit returns when pid has ended, and closes pidfd. An error other than
// an interruption means that somebody else took the status, and so the end.
func awaitExit(pid, pidfd int) {
	if pidfd >= 0 && awaitPolled(pidfd) {
		return
	}
	for {
		if !errors.Is(unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil), unix.EINTR) {
			return
		}
	}
}

// awaitPolled is false if the kernel has the descriptors (since 5.2) but cannot
// poll (5.3) or wait for them (5.4).
func awaitPolled(pidfd int) bool {
	_ = syscall.SetNonblock(pidfd, true) // if it fails, so does SyscallConn.Read
	file := os.NewFile(uintptr(pidfd), "pidfd")
	defer file.Close()
	raw, err := file.SyscallConn()
	if err != nil {
		return false
	}
	var failed error
	err = raw.Read(func(fd uintptr) bool {
		var info unix.Siginfo
		failed = unix.Waitid(unix.P_PIDFD, int(fd), &info, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil)
		if failed == nil {
			return info.Signo != 0
		}
		return !errors.Is(failed, unix.EINTR)
	})
	return err == nil && !errors.Is(failed, unix.EINVAL)
}

// members counts the processes of a group that are not zombies, or is -1 where
// /proc does not tell.
func members(pgid int) int {
	proc, err := os.Open("/proc")
	if err != nil {
		return -1
	}
	defer proc.Close()
	names, err := proc.Readdirnames(-1)
	if err != nil {
		return -1
	}
	n := 0
	for _, name := range names {
		if name[0] >= '0' && name[0] <= '9' && isMember(name, pgid) {
			n++
		}
	}
	return n
}

// isMember reads /proc/PID/stat: number (name) state parent group. The name is
// the program's choice and may hold anything.
func isMember(pid string, pgid int) bool {
	stat, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return false
	}
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 3 || string(fields[2]) != strconv.Itoa(pgid) {
		return false
	}
	state := fields[0][0]
	return state != 'Z' && state != 'X'
}
