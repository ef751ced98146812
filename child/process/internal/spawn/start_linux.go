//go:build linux && (amd64 || arm64) && !coppice_forkexec

package spawn

import (
	"errors"
	"slices"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Vfork says whether this build starts processes by a step of its own.
const Vfork = true

// Supports says what of a cannot be had here.
func Supports(*Attr) error { return nil }

// Start starts a process. It returns when the program executes, or with an
// [*Error] that says which step failed; then nothing is left of it. pidfd is
// its descriptor, or -1 where the kernel has none. It may be called by many
// goroutines at once; none waits for another.
func Start(a *Attr) (pid, pidfd int, err error) {
	through, err := borrow(len(a.Files))
	if err != nil {
		return 0, -1, failed(descriptors, err)
	}
	defer func() { through.giveBack(err) }()
	if err := through.send(a.Files); err != nil {
		return 0, -1, failed(descriptors, err)
	}
	p, err := prepare(a, through.out)
	if err != nil {
		return 0, -1, failed(executing, err)
	}
	start := func() { pid, pidfd, err = p.start(a) }
	if a.ParentDeath != 0 {
		onLastingThread(start)
	} else {
		start()
	}
	return pid, pidfd, err
}

// start makes the child, directly in its cgroup where the kernel can.
func (p *plan) start(a *Attr) (pid, pidfd int, err error) {
	if a.Cgroup == 0 {
		return p.clone()
	}
	p.number = unix.SYS_CLONE3
	p.into = cloneArgs{
		flags: uint64(p.flags() | unix.CLONE_INTO_CGROUP), exitSignal: uint64(unix.SIGCHLD),
		pidfd: uint64(uintptr(unsafe.Pointer(&p.pidfd))), cgroup: uint64(a.Cgroup),
	}
	p.args = [3]uintptr{uintptr(unsafe.Pointer(&p.into)), unsafe.Sizeof(p.into)}
	pid, pidfd, err = p.made(intoCgroup)
	for _, cannot := range []error{unix.ENOSYS, unix.EINVAL, unix.E2BIG, unix.EPERM, unix.EBADF} {
		if errors.Is(err, cannot) && p.errno == 0 {
			return p.entering(a.Cgroup)
		}
	}
	return pid, pidfd, err
}

// cloneArgs are the arguments of clone3.
type cloneArgs struct {
	flags, pidfd, childTID, parentTID, exitSignal, stack, stackSize, tls, setTID, setTIDSize, cgroup uint64
}

// entering makes a child that enters the cgroup itself: before Linux 5.7,
// where a sandbox forbids clone3, and in the first version of cgroups.
func (p *plan) entering(cgroup int) (pid, pidfd int, err error) {
	procs, err := unix.Openat(cgroup, "cgroup.procs", unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, -1, failed(intoCgroup, err)
	}
	defer unix.Close(procs)
	self := []byte("0")
	enter := call{step: intoCgroup, number: unix.SYS_WRITE}
	enter.args = [5]uintptr{uintptr(procs), p.at(unsafe.Pointer(&self[0])), uintptr(len(self))}
	p.calls = append([]call{enter}, p.calls...) // while our table is still its own
	return p.clone()
}

func (p *plan) clone() (pid, pidfd int, err error) {
	p.number = unix.SYS_CLONE
	p.args = [3]uintptr{p.flags() | uintptr(unix.SIGCHLD), 0, uintptr(unsafe.Pointer(&p.pidfd))}
	pid, pidfd, err = p.made(forking)
	if p.errno == 0 && errors.Is(err, unix.EINVAL) {
		// Before Linux 5.2 there is no descriptor, but no error either: this
		// is something else that passes for Linux.
		p.args[0] &^= withPidfd
		return p.made(forking)
	}
	return pid, pidfd, err
}

// Flags, which tests change: one asks for a descriptor of the child, the others
// for our memory, and that we stand still.
var (
	withPidfd = uintptr(unix.CLONE_PIDFD)
	withUs    = uintptr(unix.CLONE_VM | unix.CLONE_VFORK)
)

// flags: the child has our memory and we stand still; it shares our table of
// descriptors if it can leave that in one step.
func (p *plan) flags() uintptr {
	flags := withUs | withPidfd
	if shares() {
		flags |= unix.CLONE_FILES
	}
	return flags
}

// made forks, and takes away a child that did not come to execute.
func (p *plan) made(s step) (pid, pidfd int, err error) {
	pid, errno := p.run()
	if errno != 0 {
		if slices.Contains(short, errno) {
			s = forking
		}
		return 0, -1, failed(s, errno)
	}
	if p.step == forking { // It has memory of its own: emulators make a vfork a fork.
		p.errno = unix.ENOSYS
		_ = unix.Kill(pid, unix.SIGKILL)
	}
	if p.errno == 0 {
		return pid, int(p.pidfd), nil
	}
	for errors.Is(waitFor(pid), unix.EINTR) {
	}
	if p.pidfd >= 0 {
		_ = unix.Close(int(p.pidfd))
	}
	return 0, -1, failed(p.step, p.errno)
}

// short are the errors of a system that has too little of something.
var short = []syscall.Errno{unix.EAGAIN, unix.ENOMEM, unix.EMFILE, unix.ENFILE}

// waitFor takes the status of pid. That somebody else took it is no matter.
func waitFor(pid int) error {
	_, err := unix.Wait4(pid, nil, 0, nil)
	return err
}

// failed is the error of a step; an error that has a step keeps it.
func failed(s step, err error) error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	errno := syscall.EINVAL
	errors.As(err, &errno)
	return &Error{Step: steps[s], Errno: errno}
}
