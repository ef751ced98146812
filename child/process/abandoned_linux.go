package process

import (
	"context"

	"golang.org/x/sys/unix"

	"github.com/coppice-go/coppice/child"
)

// explain tells of a program that leaves itself without being followed: its
// first process has ended with the code 0 and is not buried yet, and others of
// its group, which are about to be killed, may be what was meant to stay.
func (p *proc) explain(ctx context.Context) {
	if p.rules.leftovers != KillThem || p.followed || p.handle.told || p.handle.reason() != nil || !p.succeeded() || !p.hasCompany() {
		return
	}
	if left, _ := scan(p.pgid); len(left) > 0 {
		child.Logger(ctx).Warn("process: it has ended and left others, which are killed: "+
			"a program that is to stay in the foreground must not fork itself away, or needs a PIDFile",
			"pid", p.pid, "left", left.String())
	}
}

// hasCompany reports, without a look at all processes of the machine, whether
// there may be others in the group of a leader that has ended: its own niceness
// does not matter any more, and if that is made the highest, a lower one in the
// group is somebody else's.
func (p *proc) hasCompany() bool {
	const highest = 19
	if unix.Setpriority(unix.PRIO_PROCESS, p.pid, highest) != nil {
		return false
	}
	lowest, err := unix.Getpriority(unix.PRIO_PGRP, p.pgid)
	return err == nil && lowest > 20-highest // the system call tells 20 less the niceness
}
