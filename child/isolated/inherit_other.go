//go:build !unix

package isolated

import (
	"os"
	"syscall"
)

const killSignal = syscall.SIGKILL

// The kinds of what a copy is given.
const (
	aSocket = 0
	aPipe   = 0
)

// inherit is nothing: descriptors are not inherited here, and no copy is made.
func inherit(int, uint32) *os.File { return nil }
