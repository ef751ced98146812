//go:build unix && !linux

package process

import (
	"time"

	"github.com/coppice-go/coppice/child"
)

// ended tells of the end by a thread that waits for it. That takes the status
// with it: the group is killed when its leader's number is free again, and as
// long as somebody is left in the group the system gives it to nobody.
type ended struct {
	pidfd int // there is none
	err   error
	usage child.Usage // both written before exited is closed
}

const fionread = 0x4004667f // _IOR('f', 127, int), on every system here

func (p *proc) watch(err error) {
	if err != nil {
		p.handle.Fail(err)
	}
	go func() {
		p.usage, p.err = wait4(p.pid)
		p.handle.bury()
		p.over()
	}()
}

func (p *proc) reap() (child.Usage, error) { return p.usage, p.err }

func (p *proc) forget() {}

func (p *proc) vanished() bool { return false }

// scan is nothing here: probes alone have to tell.
func scan(int) (members, bool) { return nil, false }

func (m members) await(time.Time) members { return m }

// descendants are not known here.
func descendants(int) []int { return nil }
