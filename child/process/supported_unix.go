//go:build unix

package process

import "github.com/coppice-go/coppice/child/process/internal/spawn"

// supported reports what this system cannot do, as a mistake.
func (c Command) supported(m *mistakes) {
	a := &spawn.Attr{
		Chroot: c.System.Chroot, Session: !c.Containment.Terminal, Group: c.Containment.Terminal,
		ListenPID: len(c.Sockets) > 0, NoNewPrivs: c.System.NoNewPrivileges,
	}
	c.System.fill(a)
	if err := spawn.Supports(a); err != nil {
		m.add(true, "System", nil, err.Error())
	}
}
