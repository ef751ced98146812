//go:build linux && (amd64 || arm64) && !coppice_forkexec

package spawn

import (
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// givenNofile is the limit of open files that our program was started with, if
// Go has raised it for itself since: to one less than the highest.
func givenNofile() (given unix.Rlimit, raised bool) {
	var now unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &now); err != nil || now.Cur != now.Max-1 {
		return now, false
	}
	soft := softNofile()
	return unix.Rlimit{Cur: min(soft, now.Max), Max: now.Max}, true
}

// softNofile is what Go found. It keeps that to itself and gives it back to
// those that it starts. So, once, we let it start ourselves; the system stops
// that process before its first instruction, we look, and kill it.
var softNofile = sync.OnceValue(func() uint64 {
	found := unix.Rlimit{Cur: 1024} // the usual, where nobody may be traced
	attr := &syscall.ProcAttr{Sys: &syscall.SysProcAttr{Ptrace: true, Pdeathsig: syscall.SIGKILL}}
	pid, err := syscall.ForkExec("/proc/self/exe", []string{"stopped"}, attr)
	if err != nil {
		return found.Cur
	}
	_ = unix.Prlimit(pid, unix.RLIMIT_NOFILE, nil, &found)
	_ = syscall.Kill(pid, syscall.SIGKILL)
	var status syscall.WaitStatus
	for err == nil && !status.Signaled() || err == syscall.EINTR { // it is told of the stop first
		_, err = syscall.Wait4(pid, &status, 0, nil)
	}
	return found.Cur
})
