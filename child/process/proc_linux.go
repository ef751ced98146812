package process

import (
	"errors"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/coppice-go/coppice/child"
)

// ended tells of the end by a descriptor for the process, watched with the
// pipes. No thread waits.
type ended struct {
	pidfd   int // -1 where the kernel has none
	waiting *watch
}

const fionread = unix.TIOCINQ

// watch closes exited when the leader has ended. It leaves it a zombie: while
// it is one, its number and that of the group belong to nobody else. Where the
// kernel has no such descriptor, or cannot watch it (before 5.3), a thread
// waits. A pipe that cannot be watched ends the run.
func (p *proc) watch(err error) {
	if err != nil {
		p.handle.Fail(err)
	}
	if p.pidfd >= 0 {
		p.waiting, err = theOne.add(p.pidfd, p.over)
	}
	if p.pidfd < 0 || err != nil {
		go p.wait()
	}
}

// wait returns when the leader has ended. An error other than an interruption
// means that somebody else took the status, and so the end.
func (p *proc) wait() {
	for errors.Is(unix.Waitid(unix.P_PID, p.pid, nil, unix.WEXITED|unix.WNOWAIT, nil), unix.EINTR) {
	}
	p.over()
}

// reap takes the status of the leader, which has ended. From here on its
// number may be another's.
func (p *proc) reap() (child.Usage, error) {
	p.handle.bury()
	theOne.remove(p.waiting)
	return wait4(p.pid)
}

// forget lets go of the descriptor for the process.
func (p *proc) forget() {
	theOne.remove(p.waiting)
	if p.pidfd >= 0 {
		_ = syscall.Close(p.pidfd)
		p.pidfd = -1
	}
}
