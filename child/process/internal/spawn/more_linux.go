//go:build coppice_forkexec || !(amd64 || arm64)

package spawn

import "syscall"

// more fills in what only Linux has.
func more(sys *syscall.SysProcAttr, a *Attr, pidfd *int) {
	sys.PidFD = pidfd
	sys.Pdeathsig = syscall.Signal(a.ParentDeath)
	for _, c := range a.Capabilities {
		sys.AmbientCaps = append(sys.AmbientCaps, uintptr(c))
	}
	if a.Cgroup != 0 {
		sys.UseCgroupFD, sys.CgroupFD = true, a.Cgroup
	}
}

// further are the settings that more does not fill in.
func further(*Attr) []setting { return nil }
