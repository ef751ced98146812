//go:build unix && !linux

package process

import "syscall"

// ended tells of the end by a thread that waits for it. That takes the status
// with it: the group is killed when its leader's number is free again, and as
// long as somebody is left in the group the system gives it to nobody.
type ended struct {
	err error // written before exited is closed
}

const fionread = 0x4004667f // _IOR('f', 127, int), on every system here

func (p *proc) attr() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

func (p *proc) watch() {
	p.err = wait4(p.pid)
	close(p.exited)
}

func (p *proc) reap() error { return p.err }

// members is not known here; probes alone have to tell.
func members(int) int { return -1 }
