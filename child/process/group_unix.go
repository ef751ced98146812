//go:build unix

package process

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/coppice-go/coppice/child"
)

// endGroup ends those that are left of the group, while its number is ours. It
// reports whether their end is to be waited for.
func (p *proc) endGroup(ctx context.Context) (awaited bool) {
	switch p.rules.leftovers {
	case LeaveThem:
		return false
	case StopThem:
		p.askGroup(ctx)
	}
	_ = syscall.Kill(-p.pgid, sigKill) // whoever is left is seen later
	p.cgroup.signal(sigKill)
	return true
}

// askGroup asks the rest of a group by the ladder, as long as somebody but its
// leader, who is a zombie, is there.
func (p *proc) askGroup(ctx context.Context) {
	left := func() bool {
		found, ok := p.left()
		return ok && len(found) > 0
	}
	for _, rung := range p.rules.stops(false) {
		if !left() {
			return
		}
		if rung.Signal == 0 {
			continue
		}
		_ = syscall.Kill(-p.pgid, rung.Signal)
		_ = syscall.Kill(-p.pgid, sigCont)
		p.cgroup.signal(rung.Signal)
		p.cgroup.signal(sigCont)
		wait := rung.Wait
		if wait == 0 {
			wait = child.DefaultShutdown
		}
		for deadline := time.Now().Add(wait); left() && time.Now().Before(deadline) && !isClosed(child.Killed(ctx)); {
			time.Sleep(5 * time.Millisecond)
		}
	}
}

// awaitGone returns when nothing of the group is left that runs, or names who
// is when that takes too long. The leader has been waited for, and the others
// have been killed: from then on none of them can bring about another, so that
// who is found once is all there is to wait for. Zombies do no harm, and a slow
// parent may leave them there for as long as it likes.
func (p *proc) awaitGone(ctx context.Context) {
	if p.empty() {
		return
	}
	deadline := time.Now().Add(goneWait)
	left, ok := p.left()
	if ok {
		left = left.await(deadline)
	} else { // probes alone have to tell
		for wait := 20 * time.Microsecond; !p.empty() && time.Now().Before(deadline); wait = min(2*wait, 20*time.Millisecond) {
			time.Sleep(wait)
		}
	}
	if len(left) > 0 || !ok && !p.empty() {
		child.Logger(ctx).Warn("process: some of the group do not end", "group", p.pgid, "left", left.String())
	}
}

// empty reports whether nobody is left, not even a zombie.
func (p *proc) empty() bool {
	return errors.Is(syscall.Kill(-p.pgid, 0), syscall.ESRCH) && !p.cgroup.populated()
}

// left is who of the group, and of the control group, is left, zombies aside;
// false where the system does not tell.
func (p *proc) left() (all members, ok bool) {
	all, ok = scan(p.pgid)
	for _, m := range p.cgroup.members() {
		if !slices.ContainsFunc(all, func(other member) bool { return other.pid == m.pid }) {
			all = append(all, m)
		}
	}
	return all, ok
}

// A member is a process of a group.
type member struct {
	pid    int
	parent int
	group  int
	name   string
	state  byte
	start  uint64 // in ticks after the boot
}

// dead reports whether it is a zombie.
func (m member) dead() bool { return m.state == 'Z' || m.state == 'X' }

type members []member

// String names them by number, command and state.
func (m members) String() string {
	names := make([]string, len(m))
	for i, one := range m {
		names[i] = fmt.Sprintf("%d (%s) %c", one.pid, printable(one.name), one.state)
	}
	return strings.Join(names, ", ")
}
