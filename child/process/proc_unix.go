//go:build unix

package process

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/coppice-go/coppice/child/process/internal/spawn"
	"golang.org/x/sys/unix"
)

// A proc is a started process, the leader of a group that bears its number, or
// one that such a process has left behind and named in its PIDFile.
// Its methods are called by one goroutine, that of Serve; the handle is what
// others have.
type proc struct {
	*wiring
	command  *Command // until it has started
	rules    rules
	cgroup   *cgroup // nil if there is none
	pid      int
	pgid     int // of the group; the leader's number
	began    time.Time
	exited   chan struct{} // closed when the leader has ended
	alone    bool          // no supervisor says when the grace of a stop is over
	handle   *Handle
	unhook   func() bool // the handle's poke from the context
	leave    func()      // ends what looks at the running process
	followed bool        // by a PIDFile; then it is no child of ours
	guarded  string      // what ends it with our program: byWatcher, byKernel or nothing

	talk *talk // what it says to its socket; nil if it has none

	ended // how the system tells of the end
}

// starts bounds how many processes are being started at once in this program:
// more only wait for each other, and for the disk.
var starts = make(chan struct{}, 2*runtime.GOMAXPROCS(0))

// turnTime is how long a start may keep others waiting. An execution from a
// file system that does not answer takes as long as that does.
const turnTime = 100 * time.Millisecond

// takeTurn waits until another process may be started.
func takeTurn(ctx context.Context) (leave func(), err error) {
	select {
	case starts <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	once := sync.OnceFunc(func() { <-starts })
	late := time.AfterFunc(turnTime, once)
	return func() { late.Stop(); once() }, nil
}

// start starts c. The program executes when it returns without an error.
func start(ctx context.Context, c *Command) (*proc, error) {
	if err := c.Before.call(ctx, nil); err != nil {
		return nil, c.failed("hook", "", err)
	}
	attr, err := c.image()
	if err != nil {
		return nil, err
	}
	leave, err := takeTurn(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	group, err := c.openCgroup(ctx)
	if err != nil {
		return nil, err
	}
	defer group.close()
	talk, err := c.openTalk(attr)
	if err != nil {
		return nil, c.failed("notify", "", err)
	}
	w, err := wire(ctx, *c)
	if err != nil {
		talk.close()
		return nil, c.failed("descriptors", "", err)
	}
	p := &proc{wiring: w, command: c, rules: c.rules(), cgroup: group, talk: talk, exited: make(chan struct{})}
	attr.Cgroup = group.fd()
	p.prepareOrphan(attr)
	err = p.spawn(attr)
	w.closeEnds()
	if err != nil {
		w.abandon()
		talk.close()
		return nil, err
	}
	if p.guarded == byWatcher {
		theGuard.add(p.pgid)
	}
	p.handle = newHandle(p)
	p.unhook = afterwards(ctx, p.handle.poke)
	p.watch(w.follow())
	return p, nil
}

// busyTime is how long a start is tried again while somebody has the program
// open for writing: any fork at the wrong moment keeps it so for an instant.
const busyTime = 100 * time.Millisecond

// spawn forks and executes.
func (p *proc) spawn(attr *spawn.Attr) (err error) {
	if err := reserve(p.highest()); err != nil {
		return p.command.failed("descriptors", err.Error(), syscall.EMFILE)
	}
	attr.Files = p.files
	for deadline := time.Now().Add(busyTime); ; time.Sleep(5 * time.Millisecond) {
		p.began = time.Now()
		p.pid, p.pidfd, err = spawn.Start(attr)
		if !errors.Is(err, syscall.ETXTBSY) || time.Now().After(deadline) {
			break
		}
	}
	p.pgid = p.pid
	if err == nil {
		return nil
	}
	var failed *spawn.Error
	if !errors.As(err, &failed) {
		failed = &spawn.Error{Step: "exec"}
	}
	step, reason := failed.Step, ""
	switch step {
	case "exec":
		step, reason = p.command.diagnose(attr.Path, err)
	case "directory":
		reason = p.command.noEntry()
	}
	return p.command.failed(step, reason, unwrapped(err))
}

// unwrapped is the system's answer alone, where there is one.
func unwrapped(err error) error {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno
	}
	return err
}

// signal signals those in scope. The leader has not been waited for, so that
// its number, and that of the group, are ours. That nobody is left is no error.
func (p *proc) signal(to Scope, sig syscall.Signal) error {
	if p.vanished() {
		return nil
	}
	var err error
	switch {
	case to == Leader:
		err = syscall.Kill(p.pid, sig)
	case to == Group:
		err = p.signalGroup(sig)
	case to == Cgroup && p.cgroup != nil:
		p.cgroup.signal(sig)
	default:
		err = p.signalGroup(sig)
		for _, pid := range descendants(p.pid) {
			if pgid, e := syscall.Getpgid(pid); e == nil && pgid != p.pgid { // the group has heard it
				_ = syscall.Kill(pid, sig) // it may be gone
			}
		}
	}
	if errors.Is(err, syscall.ESRCH) {
		return nil
	}
	return err
}

// signalGroup signals the group, and the leader too if it has joined another.
func (p *proc) signalGroup(sig syscall.Signal) error {
	err := syscall.Kill(-p.pgid, sig)
	if pgid, e := syscall.Getpgid(p.pid); e == nil && pgid != p.pgid {
		err = syscall.Kill(p.pid, sig)
	}
	return err
}

// spare is how many descriptors are left free for the program that embeds us,
// so that it can always accept a connection; where only a few are allowed at
// all, an eighth of those.
const spare = 64

// reserve is an error if the descriptor fd is one of the last that we may have:
// the system always gives the lowest that is free.
func reserve(fd int) error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return nil
	}
	most := uint64(limit.Cur) //nolint:unconvert // FreeBSD has a sign
	if spared := min(spare, most/8); uint64(fd)+spared >= most {
		return &shortage{fd, most, spared}
	}
	return nil
}

// over is called when the leader has ended.
func (p *proc) over() {
	close(p.exited)
	p.handle.poke()
}

// afterwards is [context.AfterFunc], without what that takes beside a context
// that can do it itself, as that of a run can.
func afterwards(ctx context.Context, f func()) (stop func() bool) {
	if own, ok := ctx.(interface{ AfterFunc(f func()) func() bool }); ok {
		return own.AfterFunc(f)
	}
	return context.AfterFunc(ctx, f)
}
