//go:build unix

package isolated

import (
	"os"
	"syscall"
)

const killSignal = syscall.SIGKILL

// inherit is the file of a descriptor that we were given, nil if there is none.
// Nobody is to be given it by us.
func inherit(fd int) *os.File {
	var stat syscall.Stat_t
	if syscall.Fstat(fd, &stat) != nil {
		return nil
	}
	syscall.CloseOnExec(fd)
	return os.NewFile(uintptr(fd), "coppice")
}
