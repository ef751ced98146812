//go:build unix

package process

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/coppice-go/coppice/child"
)

// see sees the process to its end, and to that of what it leaves behind.
func (p *proc) see(ctx context.Context) error {
	told := p.await(ctx) // with nothing of what follows on the stack
	return p.conclude(ctx, told)
}

// conclude says how the run has ended, when everything of it has.
func (p *proc) conclude(ctx context.Context, told bool) error {
	defer p.leave()
	p.unhook()
	p.handle.told = told && p.handle.reason() == nil
	if p.rules.detach && told {
		p.detach()
		return nil
	}
	p.handle.status = p.finish(ctx)
	err := p.rules.verdict(told, p.handle.status)
	if p.signs.late(told) {
		child.Ready(ctx) // its last words were the sign
	}
	if p.followed && told && errors.Is(err, ErrStatusLost) {
		err = nil // it ended when it was told, as far as anybody can tell
	}
	if err != nil && p.handle.reason() == nil {
		p.handle.Fail(err) // what is notified now comes too late to be the reason
	}
	p.handle.settle()
	if reason := p.handle.reason(); reason != nil {
		err = reason
	}
	p.handle.end(err)
	if e := p.rules.after.call(context.WithoutCancel(ctx), p.handle); e != nil {
		child.Logger(ctx).Warn("process: the hook after the end failed", "err", e)
	}
	return err
}

// await returns when the process has ended; it asks it to when ctx ends, or
// when the handle finds that it has failed.
func (p *proc) await(ctx context.Context) (told bool) {
	for p.sleep(ctx); p.moveOn(ctx); p.sleep(ctx) {
	}
	return p.woken(ctx)
}

// sleep returns when the process has ended or is to end. It waits for one
// channel alone, by a call that takes little room on the stack.
func (p *proc) sleep(ctx context.Context) {
	for !isClosed(p.exited) && p.handle.reason() == nil && ctx.Err() == nil {
		<-p.handle.wake
	}
}

func (p *proc) woken(ctx context.Context) (told bool) {
	p.handle.idle.rest()
	if isClosed(p.exited) {
		return false
	}
	if p.rules.detach && p.handle.reason() == nil {
		return true
	}
	grace := child.Killed(ctx)
	if p.alone || child.FromContext(ctx) == nil || ctx.Err() == nil {
		alone, cancel := context.WithTimeout(context.WithoutCancel(ctx), p.patience(ctx))
		defer cancel()
		grace = either(alone.Done(), grace)
	}
	p.climb(ctx, grace)
	return true
}

// patience is the grace of a stop that no supervisor has begun: that of the
// spec all the same, where one stands behind ctx.
func (p *proc) patience(ctx context.Context) time.Duration {
	r, ok := child.FromContext(ctx).(interface{ Grace() time.Duration })
	if p.alone || !ok {
		return child.DefaultShutdown
	}
	return r.Grace() // BrutalKill is less than nothing
}

// either is closed when one of the two is, the second of which may be nil.
func either(a, b <-chan struct{}) <-chan struct{} {
	if b == nil || isClosed(a) {
		return a
	}
	c := make(chan struct{})
	go func() {
		defer close(c)
		select {
		case <-a:
		case <-b:
		}
	}()
	return c
}

// climb asks the process to end, rung by rung, and kills it when the grace is
// over.
func (p *proc) climb(ctx context.Context, grace <-chan struct{}) {
	ladder := p.rules.stops(p.handle.reason() != nil || child.StopReason(ctx).Failure())
	for i, rung := range ladder {
		if isClosed(grace) {
			break // no grace: do not ask first
		}
		during, over := context.WithCancel(context.WithoutCancel(ctx))
		p.ask(during, rung)
		ended := p.rest(rung.Wait, i == len(ladder)-1, grace)
		if over(); ended {
			return
		}
	}
	p.report(ctx, "kill", p.signal(Group, sigKill))
	p.cgroup.signal(sigKill)
	select {
	case <-p.exited:
	case <-time.After(goneWait):
		child.Logger(ctx).Error("process: unkillable", "pid", p.pid, "command", p.rules.name)
		<-p.exited
	}
}

// rest waits for the end of a rung. It reports whether the process has ended.
func (p *proc) rest(wait time.Duration, last bool, grace <-chan struct{}) bool {
	if wait == 0 && last {
		wait = math.MaxInt64 // the grace ends it
	}
	for wait > 0 && p.lives(wait, grace) {
		wait = p.extension()
	}
	return isClosed(p.exited)
}

// lives waits, and is false when the process has ended or the grace is over.
func (p *proc) lives(wait time.Duration, grace <-chan struct{}) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-p.exited:
		return false
	case <-grace:
		return false
	case <-timer.C:
		return true
	}
}

// ask does what a rung says.
func (p *proc) ask(ctx context.Context, r Rung) {
	switch {
	case r.Signal != 0:
		p.report(ctx, "signal", p.signal(r.To, r.Signal))
		p.report(ctx, "wake", p.signal(r.To, sigCont)) // who was stopped cannot hear
	case r.Text != "":
		go func() { // nobody may be reading
			_, err := p.handle.Write([]byte(r.Text))
			p.report(ctx, "write", err)
		}()
	case r.Func != nil:
		go func() {
			err := Hook(r.Func).call(ctx, p.handle)
			p.report(ctx, "ask", err)
		}()
	}
}

// report logs a request that could not be made, as a signal to a process that
// has become another user's. What it means for the stop is the supervisor's
// business, who sees that the run does not end.
func (p *proc) report(ctx context.Context, what string, err error) {
	if err != nil && p.handle.Alive() {
		child.Logger(ctx).Warn("process: cannot "+what, "pid", p.handle.PID(), "err", err)
	}
}

// finish is called when the leader has ended. It deals with the rest of the
// group, waits until that is gone, sees to the output, and says how the leader
// ended.
func (p *proc) finish(ctx context.Context) error {
	lived := time.Since(p.began)
	p.explain(ctx)
	gone := p.endGroup(ctx)
	p.collect()
	p.hangUp()
	usage, err := p.reap()
	if gone {
		p.awaitGone(ctx)
	}
	p.forget()
	p.release()
	oom := p.cgroup.oomKilled()
	p.cgroup.remove(ctx.Err() != nil || child.FromContext(ctx) == nil)
	p.journal.await(deliveryWait)
	p.journal.close()
	var status *child.StatusError
	if errors.As(err, &status) {
		status.Lived, status.Usage, status.Output = lived, usage, p.lastOutput(ctx)
		status.OOM = oom && status.Signal == sigKill
	}
	return err
}

// lastOutput is the end of what the process printed, made safe to show.
func (p *proc) lastOutput(ctx context.Context) string {
	const most = 1 << 10
	var text string
	for _, l := range p.handle.Last() {
		text += printable(child.Redact(ctx, l.Text)) + "\n"
	}
	if len(text) > most {
		text = strings.ToValidUTF8(text[len(text)-most:], "") // it may begin within a character
	}
	return text
}

// detach lets go of a process that lives on.
func (p *proc) detach() {
	p.forget()
	p.release()
	p.collect()
	p.hangUp()
	p.journal.close()
	p.handle.end(fmt.Errorf("process: %d was left alone", p.pid))
}

// facts are what a snapshot shows.
func (p *proc) facts() child.Facts {
	f := child.Facts{PID: p.handle.PID(), Containment: "session", Guard: p.guarded, Status: p.said().line()}
	if p.rules.terminal {
		f.Containment = "group"
	}
	if p.cgroup != nil {
		f.Containment = "cgroup " + p.cgroup.path
	}
	return f
}
