//go:build unix

package isolated

import (
	"os"
	"syscall"
)

const killSignal = syscall.SIGKILL

// The kinds of what a copy is given.
const (
	aSocket = syscall.S_IFSOCK
	aPipe   = syscall.S_IFIFO
)

// inherit is the file of a descriptor that we were given, nil if there is none
// of that kind. Nobody is to be given it by us.
func inherit(fd int, kind uint32) *os.File {
	var stat syscall.Stat_t
	if syscall.Fstat(fd, &stat) != nil || uint32(stat.Mode)&syscall.S_IFMT != kind {
		return nil // it is somebody else's, who may need it
	}
	syscall.CloseOnExec(fd)
	return os.NewFile(uintptr(fd), "coppice")
}
