package process

import (
	"context"
	"errors"
	"os"

	"golang.org/x/sys/unix"

	"github.com/coppice-go/coppice/child/process/internal/notify"
)

// holdMain keeps the process that a message names as the main one, unless that
// is meant already.
func (t *talk) holdMain(m notify.Message) {
	if t.main != nil {
		_ = t.main.Close()
		t.main = nil
	}
	t.said.MainPID = m.MainPID
	if m.MainPID == t.proc.handle.PID() {
		_ = m.Main.Close()
		return
	}
	t.main = m.Main
}

// takeMain is a descriptor for the process that was named last, if that is
// another one than was meant then. It is the caller's.
func (t *talk) takeMain() (pid, pidfd int, err error) {
	_ = t.socket.Read() // it may have been named just now
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.main == nil {
		return 0, 0, os.ErrNotExist
	}
	raw, err := t.main.SyscallConn()
	if err == nil {
		e := raw.Control(func(fd uintptr) { pidfd, err = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0) })
		err = errors.Join(err, e)
	}
	_ = t.main.Close()
	t.main = nil
	return t.said.MainPID, pidfd, err
}

// moveOn goes over to the main process that the first one, which has ended, has
// named. It is false if that named none, or failed, or runs, or is to end.
func (p *proc) moveOn(ctx context.Context) bool {
	if p.talk == nil || p.followed || !isClosed(p.exited) || p.handle.reason() != nil || ctx.Err() != nil || !p.succeeded() {
		return false
	}
	pid, pidfd, err := p.talk.takeMain()
	if err != nil {
		return false
	}
	p.moveTo(pid, pidfd)
	p.talk.publish()
	return true
}

// member reports whether a process is of the child: the one that is meant, of
// its group, session or control group, or a descendant.
func (p *proc) member(pid int) bool {
	p.handle.alive.Lock()
	leader, pgid := p.pid, p.pgid
	p.handle.alive.Unlock()
	if pid == leader {
		return true
	}
	if group, err := unix.Getpgid(pid); err == nil && group == pgid {
		return true
	}
	if session, err := unix.Getsid(pid); err == nil && session == pgid && !p.rules.terminal {
		return true
	}
	return p.cgroup.holds(pid) || descends(pid, leader)
}
