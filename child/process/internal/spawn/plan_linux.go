//go:build linux && (amd64 || arm64) && !coppice_forkexec

package spawn

import (
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A plan is all that the child does: system calls one after the other, the
// last of which executes. It is made before the fork; what the calls point to
// is in it, or in keep, and does not move.
type plan struct {
	number uintptr    // of the call that makes the child
	args   [3]uintptr // its arguments
	into   cloneArgs  // what they point to, when it goes into a cgroup
	pidfd  int32      // where that call puts the descriptor; -1 before

	calls     []call
	keep      []unsafe.Pointer
	parent    uintptr    // our number
	listen    []byte     // where the child writes its own
	byDefault [4]uintptr // a signal's disposition, as the kernel takes it
	full      uint64     // a mask with all signals
	empty     uint64     // and one with none
	mask      uint64     // that of our thread

	step  step          // how far the child came
	errno syscall.Errno // why no further
}

// A call is a system call that the child makes.
type call struct {
	step    step
	then    then
	number  uintptr
	args    [5]uintptr
	message *unix.Msghdr // of a call that receives descriptors
}

// then is what a call asks for beyond its success.
type then uint8

const (
	nothing  then = iota
	whatever      // not even its success
	complete      // nothing of the message is missing
	ourChild      // the result is our number
	toEnv         // the result becomes the value of LISTEN_PID
)

// step is the position of a name in steps: the child can store a number.
type step uint8

const (
	forking step = iota
	intoCgroup
	descriptors
	oomScore
	session
	group
	umask
	nice
	ioPriority
	cpus
	rlimits
	chroot
	user
	capabilities
	noNewPrivs
	parentDeath
	directory
	executing
)

var steps = [...]string{
	forking: "fork", intoCgroup: "cgroup", descriptors: "descriptors", oomScore: "oom score", session: "session",
	group: "group", umask: "umask", nice: "nice", ioPriority: "io priority", cpus: "cpus", rlimits: "limits",
	chroot: "chroot", user: "user", capabilities: "capabilities", noNewPrivs: "no new privileges",
	parentDeath: "parent death", directory: "directory", executing: "exec",
}

const (
	lastSignal = 64
	sigsetSize = 8
)

// do appends a call.
func (p *plan) do(s step, number uintptr, args ...uintptr) *call {
	c := call{step: s, number: number}
	copy(c.args[:], args)
	p.calls = append(p.calls, c)
	return &p.calls[len(p.calls)-1]
}

// at is where something is, for a call. It stays there as long as p.
func (p *plan) at(v unsafe.Pointer) uintptr {
	p.keep = append(p.keep, v)
	return uintptr(v)
}

// text is where s is, ended by a zero.
func (p *plan) text(s string) (uintptr, error) {
	b, err := syscall.BytePtrFromString(s)
	return p.at(unsafe.Pointer(b)), err
}

// prepare plans what a says. The descriptors go through out.
func prepare(a *Attr, out int) (*plan, error) {
	p := &plan{pidfd: -1, parent: uintptr(syscall.Getpid()), full: ^uint64(0), calls: make([]call, 0, 32)}
	p.receive(a, out)
	p.ranks(a)
	p.limits(a)
	if err := p.becomes(a); err != nil {
		return nil, err
	}
	return p, p.executes(a)
}

// receive leaves the child nothing but what comes through out. It shares our
// table, and must not touch that: its first step is to have one of its own, in
// which nothing above out is copied.
func (p *plan) receive(a *Attr, out int) {
	if shares() {
		p.do(descriptors, unix.SYS_CLOSE_RANGE, uintptr(out+1), last, unix.CLOSE_RANGE_UNSHARE)
		if out > 0 {
			p.do(descriptors, unix.SYS_CLOSE_RANGE, 0, uintptr(out-1), 0)
		}
	} else {
		for _, fd := range opened(out) {
			p.do(descriptors, unix.SYS_CLOSE, uintptr(fd)).then = whatever
		}
	}
	p.oom(a.OOMScore) // it opens something, which is gone afterwards
	for chunk := range slices.Chunk(a.Files, atOnce) {
		m := &parcel{control: make([]byte, unix.CmsgSpace(4*len(chunk)))}
		c := p.do(descriptors, unix.SYS_RECVMSG, uintptr(out), m.header(p), 0)
		c.then, c.message = complete, &m.msg
	}
	for i, fd := range a.Files {
		if fd < 0 {
			p.do(descriptors, unix.SYS_CLOSE, uintptr(i))
		}
	}
}

// oom sets how likely the child is killed when memory is short. Nothing is
// open below what receives the descriptors, so that the file is 0.
func (p *plan) oom(score *int) {
	if score == nil {
		return
	}
	text := strconv.AppendInt(nil, int64(*score), 10)
	const here = ^uintptr(99) // AT_FDCWD
	name, _ := p.text("/proc/self/oom_score_adj")
	p.do(oomScore, unix.SYS_OPENAT, here, name, unix.O_WRONLY|unix.O_CLOEXEC)
	p.do(oomScore, unix.SYS_WRITE, 0, p.at(unsafe.Pointer(&text[0])), uintptr(len(text)))
	p.do(oomScore, unix.SYS_CLOSE, 0)
}

// ranks says where the child stands among processes.
func (p *plan) ranks(a *Attr) {
	if a.Session {
		p.do(session, unix.SYS_SETSID)
	} else if a.Group {
		p.do(group, unix.SYS_SETPGID)
	}
	if a.Umask != nil {
		p.do(umask, unix.SYS_UMASK, uintptr(*a.Umask))
	}
	if a.Nice != nil {
		p.do(nice, unix.SYS_SETPRIORITY, unix.PRIO_PROCESS, 0, uintptr(*a.Nice))
	}
	if a.IOPriority != nil {
		const process = 1 // IOPRIO_WHO_PROCESS
		p.do(ioPriority, unix.SYS_IOPRIO_SET, process, 0, uintptr(*a.IOPriority))
	}
	if len(a.CPUs) > 0 {
		mask := make([]uintptr, slices.Max(a.CPUs)/64+1)
		for _, cpu := range a.CPUs {
			mask[cpu/64] |= 1 << (cpu % 64)
		}
		p.do(cpus, unix.SYS_SCHED_SETAFFINITY, 0, uintptr(len(mask)*8), p.at(unsafe.Pointer(&mask[0])))
	}
}

// limits sets the limits; that of open files is otherwise the one that our
// program was started with.
func (p *plan) limits(a *Attr) {
	if was, ok := givenNofile(); ok {
		p.limit(unix.RLIMIT_NOFILE, was)
	}
	for _, l := range a.Rlimits {
		p.limit(l.Resource, unix.Rlimit{Cur: l.Cur, Max: l.Max})
	}
}

func (p *plan) limit(resource int, l unix.Rlimit) {
	p.do(rlimits, unix.SYS_PRLIMIT64, 0, uintptr(resource), p.at(unsafe.Pointer(&l)), 0)
}

// becomes says who the child is.
func (p *plan) becomes(a *Attr) error {
	if a.Chroot != "" {
		root, err := p.text(a.Chroot)
		if err != nil {
			return err
		}
		p.do(chroot, unix.SYS_CHROOT, root)
	}
	if len(a.Capabilities) > 0 {
		p.do(capabilities, unix.SYS_PRCTL, unix.PR_SET_KEEPCAPS, 1)
	}
	if c := a.Credential; c != nil {
		if !c.KeepGroups {
			var first uintptr
			if groups := slices.Clone(c.Groups); len(groups) > 0 {
				first = p.at(unsafe.Pointer(&groups[0]))
			}
			p.do(user, unix.SYS_SETGROUPS, uintptr(len(c.Groups)), first)
		}
		p.do(user, unix.SYS_SETGID, uintptr(c.Gid))
		p.do(user, unix.SYS_SETUID, uintptr(c.Uid))
	}
	if err := p.keeps(a); err != nil {
		return err
	}
	if a.NoNewPrivs {
		p.do(noNewPrivs, unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1)
	}
	if a.ParentDeath != 0 { // after the user: a change of that forgets it
		p.do(parentDeath, unix.SYS_PRCTL, unix.PR_SET_PDEATHSIG, uintptr(a.ParentDeath))
		p.do(parentDeath, unix.SYS_GETPPID).then = ourChild
	}
	return nil
}

// keeps makes capabilities ambient, for which they have to be inheritable.
func (p *plan) keeps(a *Attr) error {
	if len(a.Capabilities) == 0 {
		return nil
	}
	sets := &struct {
		header unix.CapUserHeader
		data   [2]unix.CapUserData
	}{header: unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}}
	if err := unix.Capget(&sets.header, &sets.data[0]); err != nil {
		return &Error{steps[capabilities], err.(syscall.Errno)} //nolint:errorlint // a system call has no other
	}
	for i := range sets.data {
		if a.Credential != nil && a.Credential.Uid != 0 {
			sets.data[i].Effective = 0 // as the change of the user has it
		}
	}
	for _, c := range a.Capabilities {
		sets.data[c/32].Permitted |= 1 << (c % 32) // refused unless it is ours
		sets.data[c/32].Inheritable |= 1 << (c % 32)
	}
	p.do(capabilities, unix.SYS_CAPSET, p.at(unsafe.Pointer(&sets.header)), p.at(unsafe.Pointer(&sets.data[0])))
	for _, c := range a.Capabilities {
		p.do(capabilities, unix.SYS_PRCTL, unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_RAISE, uintptr(c))
	}
	return nil
}

// executes ends the plan.
func (p *plan) executes(a *Attr) error {
	if a.Dir != "" {
		dir, err := p.text(a.Dir)
		if err != nil {
			return err
		}
		p.do(directory, unix.SYS_CHDIR, dir)
	}
	path, err := p.text(a.Path)
	if err != nil {
		return err
	}
	args, err := syscall.SlicePtrFromStrings(a.Args)
	if err != nil {
		return err
	}
	env, err := syscall.SlicePtrFromStrings(a.Env)
	if err != nil {
		return err
	}
	if a.ListenPID {
		i := slices.Index(a.Env, listenPID)
		if i < 0 {
			return syscall.EINVAL
		}
		p.listen = unsafe.Slice(env[i], len(listenPID)+1)[strings.IndexByte(listenPID, '=')+1:]
		p.do(executing, unix.SYS_GETPID).then = toEnv
	}
	p.do(executing, unix.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK, uintptr(unsafe.Pointer(&p.empty)), 0, sigsetSize)
	p.do(executing, unix.SYS_EXECVE, path, p.at(unsafe.Pointer(&args[0])), p.at(unsafe.Pointer(&env[0])))
	return nil
}

// listenPID is the entry that the child completes: ten digits are enough.
const listenPID = "LISTEN_PID=0000000000"

// run forks. It returns when the child executes, or has failed.
func (p *plan) run() (pid int, errno syscall.Errno) {
	result := int(fork(p))
	runtime.KeepAlive(p)
	if result < 0 {
		return 0, syscall.Errno(-result)
	}
	return result, 0
}
