//go:build unix

package spawn

import (
	"errors"
	"syscall"
)

// Vfork says whether this build starts processes by a step of its own.
const Vfork = false

// Supports says what of a cannot be had here.
func Supports(a *Attr) error { return nil }

// Start starts a process.
func Start(a *Attr) (pid, pidfd int, err error) {
	attr := &syscall.ProcAttr{Dir: a.Dir, Env: a.Env}
	for _, f := range a.Files {
		attr.Files = append(attr.Files, uintptr(f))
	}
	pidfd = -1
	attr.Sys = &syscall.SysProcAttr{Setpgid: a.Group && !a.Session, Setsid: a.Session, Chroot: a.Chroot}
	if c := a.Credential; c != nil {
		attr.Sys.Credential = &syscall.Credential{Uid: c.Uid, Gid: c.Gid, Groups: c.Groups, NoSetGroups: c.KeepGroups}
	}
	withPidfd(attr.Sys, &pidfd)
	pid, err = syscall.ForkExec(a.Path, a.Args, attr)
	var errno syscall.Errno
	if errors.As(err, &errno) {
		err = &Error{Step: "exec", Errno: errno}
	}
	return pid, pidfd, err
}
