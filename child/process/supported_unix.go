//go:build unix

package process

import (
	"runtime"

	"github.com/coppice-go/coppice/child/process/internal/spawn"
)

// supported reports what this system cannot do, as a mistake.
func (c Command) supported(m *mistakes) {
	a := &spawn.Attr{
		Chroot: c.System.Chroot, Session: !c.Containment.Terminal, Group: c.Containment.Terminal,
		ListenPID: len(c.Sockets) > 0, NoNewPrivs: c.System.NoNewPrivileges,
	}
	const linux = runtime.GOOS == "linux"
	m.add(!linux && c.PIDFile != "", "PIDFile", c.PIDFile, "is followed on Linux only")
	m.add(!linux && c.Notify.isSet(), "Notify", nil, "is there on Linux only")
	m.add(!linux && c.Containment.Cgroup, "Containment.Cgroup", true, "is there on Linux only")
	c.System.fill(a)
	if err := spawn.Supports(a); err != nil {
		m.add(true, "System", nil, err.Error())
	}
}
