package spawn

import "syscall"

func withPidfd(sys *syscall.SysProcAttr, fd *int) { sys.PidFD = fd }
