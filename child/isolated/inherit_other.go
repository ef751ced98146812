//go:build !unix

package isolated

import (
	"os"
	"syscall"
)

const killSignal = syscall.SIGKILL

// inherit is nothing: descriptors are not inherited here, and no copy is made.
func inherit(int) *os.File { return nil }
