//go:build unix && !linux

package process

import (
	"context"
	"syscall"
)

// cgroup is Linux's: there is none here.
type cgroup struct{ path string }

func (c Command) openCgroup(context.Context) (*cgroup, error) { return nil, nil }

func (*cgroup) fd() int               { return 0 }
func (*cgroup) oomKills() uint64      { return 0 }
func (*cgroup) oomKilled() bool       { return false }
func (*cgroup) populated() bool       { return false }
func (*cgroup) members() members      { return nil }
func (*cgroup) signal(syscall.Signal) {}
func (*cgroup) close()                {}
func (*cgroup) remove(bool)           {}
