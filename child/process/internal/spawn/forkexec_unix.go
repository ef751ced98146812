//go:build unix && (coppice_forkexec || !linux || !(amd64 || arm64))

package spawn

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
)

// Vfork says whether this build starts processes by a step of its own.
const Vfork = false

// Supports says what of a cannot be had here.
func Supports(a *Attr) error {
	var missing []string
	for _, s := range append(further(a), []setting{
		{"umask", a.Umask != nil}, {"nice", a.Nice != nil}, {"io priority", a.IOPriority != nil},
		{"processors", len(a.CPUs) > 0}, {"limits", len(a.Rlimits) > 0}, {"oom score", a.OOMScore != nil},
		{"no new privileges", a.NoNewPrivs}, {"sockets with LISTEN_PID", a.ListenPID},
	}...) {
		if s.asked {
			missing = append(missing, s.name)
		}
	}
	if missing == nil {
		return nil
	}
	return fmt.Errorf("must not ask for what this system cannot do: %s", strings.Join(missing, ", "))
}

// A setting is one that is asked for or not.
type setting struct {
	name  string
	asked bool
}

// Start starts a process. It returns when the program executes, or with an
// [*Error]. All that fails has the step exec: the system does not tell more.
// What Supports names is not done.
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
	more(attr.Sys, a, &pidfd)
	start := func() { pid, err = syscall.ForkExec(a.Path, a.Args, attr) }
	if a.ParentDeath != 0 {
		onLastingThread(start)
	} else {
		start()
	}
	var errno syscall.Errno
	if errors.As(err, &errno) {
		err = &Error{Step: "exec", Errno: errno}
	}
	return pid, pidfd, err
}
