//go:build unix

package process

import (
	"context"
	"errors"
	"syscall"
	"time"

	"github.com/coppice-go/coppice/child"
)

// A proc is a started process, the leader of a group that bears its number.
// Its methods are called by one goroutine, that of Serve.
type proc struct {
	*wiring
	pid    int
	exited chan struct{} // closed when the leader has ended

	ended // how the system tells of the end
}

// start starts c. The program executes when it returns without an error.
func start(ctx context.Context, c Command) (*proc, error) {
	program, err := lookup(c)
	if err != nil {
		return nil, err
	}
	w, err := wire(ctx, c)
	if err != nil {
		return nil, startError(c, "cannot connect its output", err)
	}
	p := &proc{wiring: w, exited: make(chan struct{})}
	err = p.spawn(program, c)
	w.closeEnds()
	if err != nil {
		w.abandon()
		return nil, startError(c, diagnose(c, program, err), err)
	}
	w.pumpOut()
	go p.watch()
	return p, nil
}

// spawn forks and executes. Every descriptor of ours but the three is
// close-on-exec.
func (p *proc) spawn(program string, c Command) (err error) {
	attr := syscall.ProcAttr{Dir: c.Dir, Env: environ(c.Env), Files: p.descriptors()}
	attr.Sys = p.attr()
	p.pid, err = syscall.ForkExec(program, append([]string{c.Path}, c.Args...), &attr)
	return err
}

func (w *wiring) descriptors() []uintptr {
	fds := []uintptr{0, 1, 2}
	for i, f := range w.files {
		if f != nil {
			fds[i] = f.Fd()
		}
	}
	return fds
}

// terminate asks the group to end, and wakes those that were stopped, because
// they could not hear it.
func (p *proc) terminate() error {
	return errors.Join(p.signal(syscall.SIGTERM), p.signal(syscall.SIGCONT))
}

func (p *proc) kill() error { return p.signal(syscall.SIGKILL) }

// signal signals the group, and the leader too if it has joined another one.
// The leader has not been waited for, so both numbers are ours.
func (p *proc) signal(sig syscall.Signal) error {
	err := syscall.Kill(-p.pid, sig)
	if pgid, e := syscall.Getpgid(p.pid); e == nil && pgid != p.pid {
		err = syscall.Kill(p.pid, sig)
	}
	if errors.Is(err, syscall.ESRCH) {
		return nil
	}
	return err
}

// finish is called when the leader has ended. It kills the rest of the group,
// waits until that is gone, sees to the output, and says how the leader ended.
func (p *proc) finish(ctx context.Context) error {
	_ = syscall.Kill(-p.pid, syscall.SIGKILL) // whoever is left is seen below
	err := p.reap()
	p.collect()
	now := time.Now()
	awaitGone(ctx, p.pid, now.Add(goneWait))
	awaitDelivery(p.pumps, now.Add(deliveryWait))
	return err
}

// awaitGone returns when nothing of the group is left, or at the deadline.
func awaitGone(ctx context.Context, pgid int, deadline time.Time) {
	const short = time.Millisecond
	for wait := 20 * time.Microsecond; ; wait = min(2*wait, 20*time.Millisecond) {
		if errors.Is(syscall.Kill(-pgid, 0), syscall.ESRCH) {
			return
		}
		// A slow parent may leave zombies in the group for as long as it
		// likes. Looking for the others costs more than a probe.
		left := -1
		if wait > short {
			if left = members(pgid); left == 0 {
				return
			}
		}
		if time.Now().After(deadline) {
			child.Logger(ctx).Warn("processes of the group are left", "group", pgid, "left", left)
			return
		}
		time.Sleep(wait)
	}
}

// exitError is how a process ended, as an error; nil is the code 0.
func exitError(s syscall.WaitStatus) error {
	switch {
	case s.Signaled():
		return &child.StatusError{Signal: s.Signal(), Core: s.CoreDump()}
	case s.ExitStatus() != 0:
		return &child.StatusError{Code: s.ExitStatus()}
	}
	return nil
}

// wait4 waits for pid and takes its status.
func wait4(pid int) error {
	var status syscall.WaitStatus
	for {
		_, err := syscall.Wait4(pid, &status, 0, nil)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil {
			return ErrStatusLost
		}
		return exitError(status)
	}
}

// obeyed reports whether this is how a program ends that was asked to.
func obeyed(s *child.StatusError) bool {
	return s.Signal == syscall.SIGTERM || s.Signal == 0 && s.Code == 128+int(syscall.SIGTERM)
}
