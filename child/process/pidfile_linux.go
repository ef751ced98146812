package process

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// heirTime is how long a program that has left itself may take to write its
// PIDFile.
const heirTime = 5 * time.Second

// errStale is the answer to a PIDFile that names nobody whom the program can
// have started.
var errStale = errors.New("it names a process that was there before the program")

// follow waits until the first process has ended, and goes over to the one
// that it has left, if that is what the command says. What goes wrong is found
// in the handle.
func (p *proc) follow(ctx context.Context) {
	p.sleep(ctx)
	if !isClosed(p.exited) || !p.succeeded() {
		return // see tells how it ended
	}
	pid, pidfd, err := p.heir(ctx)
	if err != nil {
		p.handle.Fail(p.command.failed("pidfile", p.command.PIDFile, err))
		return
	}
	p.moveTo(pid, pidfd)
}

// moveTo makes the process of pidfd the one that is meant. The first one has
// ended.
func (p *proc) moveTo(pid, pidfd int) {
	pgid, err := syscall.Getpgid(pid)
	if err != nil {
		pgid = pid
	}
	_, _ = p.reap()
	p.forget()
	p.release()
	p.handle.alive.Lock()
	p.pid, p.pgid, p.pidfd, p.followed = pid, pgid, pidfd, true
	p.exited = make(chan struct{})
	p.handle.buried = false
	p.handle.alive.Unlock()
	if p.guarded == byWatcher {
		theGuard.add(pgid)
	}
	p.watch(nil)
}

// heir finds the process that the PIDFile names, and holds it.
func (p *proc) heir(ctx context.Context) (pid, pidfd int, err error) {
	path := p.command.PIDFile
	if !filepath.IsAbs(path) {
		path = filepath.Join(p.command.Dir, path)
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(heirTime); ; {
		if pid, err = readPID(filepath.Join(p.command.System.Chroot, path)); err == nil {
			if pidfd, err = p.hold(pid); err == nil {
				return pid, pidfd, nil
			}
		}
		if time.Now().After(end) {
			return 0, 0, err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return 0, 0, context.Cause(ctx)
		}
	}
}

func readPID(path string) (int, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	pid, err := strconv.Atoi(string(bytes.TrimSpace(content)))
	if err != nil || pid <= 1 {
		return 0, fmt.Errorf("it names no process: %q", printable(string(content[:min(len(content), 40)])))
	}
	return pid, nil
}

// hold opens a descriptor for a process that was started after p. From here on
// its number cannot mean another.
func (p *proc) hold(pid int) (pidfd int, err error) {
	pidfd, err = unix.PidfdOpen(pid, 0)
	if err != nil {
		return 0, err
	}
	const tick = 10 * time.Millisecond // of /proc, on every system
	var now unix.Timespec
	if err = unix.ClockGettime(unix.CLOCK_BOOTTIME, &now); err == nil {
		began := time.Duration(now.Nano()) - time.Since(p.began)
		if born, ok := bornAt(pid); !ok || born*tick < began-2*tick { //nolint:durationcheck // born is a number of ticks
			err = errStale
		}
	}
	if err != nil {
		_ = unix.Close(pidfd)
		return 0, err
	}
	return pidfd, nil
}

// bornAt is when a process was started, in ticks since the machine was.
func bornAt(pid int) (time.Duration, bool) {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0, false
	}
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	const start = 19 // after the name
	if len(fields) <= start {
		return 0, false
	}
	n, err := strconv.ParseInt(string(fields[start]), 10, 64)
	return time.Duration(n), err == nil
}

// succeeded looks whether the leader, which has ended and has not been waited
// for, ended with the code 0.
func (p *proc) succeeded() bool {
	var info [128]byte // siginfo_t
	err := unix.Waitid(unix.P_PID, p.pid, (*unix.Siginfo)(unsafe.Pointer(&info)), unix.WEXITED|unix.WNOWAIT|unix.WNOHANG, nil)
	const code, exited = 8, 1 // si_code, CLD_EXITED
	status := 12 + 8          // si_status, behind si_pid and si_uid
	if unsafe.Sizeof(uintptr(0)) == 8 {
		status += 4 // what follows si_code is aligned
	}
	return err == nil && binary.NativeEndian.Uint32(info[code:]) == exited && binary.NativeEndian.Uint32(info[status:]) == 0
}

// vanished reports whether a process that is no child of ours has ended: its
// number may be another's at once.
func (p *proc) vanished() bool {
	return p.followed && unix.PidfdSendSignal(p.pidfd, 0, nil, 0) != nil
}
