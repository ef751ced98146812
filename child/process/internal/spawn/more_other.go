//go:build unix && !linux

package spawn

import "syscall"

// more fills in what only Linux has: nothing.
func more(*syscall.SysProcAttr, *Attr, *int) {}

// further are the settings that Linux has and more does not fill in.
func further(a *Attr) []setting {
	return []setting{
		{"capabilities", len(a.Capabilities) > 0}, {"death of the parent", a.ParentDeath != 0}, {"cgroup", a.Cgroup != 0},
	}
}
