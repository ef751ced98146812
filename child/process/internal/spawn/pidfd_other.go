//go:build unix && !linux

package spawn

import "syscall"

func withPidfd(*syscall.SysProcAttr, *int) {}
