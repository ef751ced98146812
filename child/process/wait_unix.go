//go:build unix

package process

import (
	"errors"
	"runtime"
	"syscall"
	"time"

	"github.com/coppice-go/coppice/child"
)

const (
	sigKill = syscall.SIGKILL
	sigCont = syscall.SIGCONT
)

// wait4 waits for pid, takes its status, and says how it ended, as an error:
// nil is the code 0.
func wait4(pid int) (child.Usage, error) {
	var (
		status syscall.WaitStatus
		rusage syscall.Rusage
	)
	for {
		_, err := syscall.Wait4(pid, &status, 0, &rusage)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil {
			return child.Usage{}, ErrStatusLost
		}
		return usageOf(&rusage), exitError(status)
	}
}

func exitError(s syscall.WaitStatus) error {
	switch {
	case s.Signaled():
		return &child.StatusError{Signal: s.Signal(), Core: s.CoreDump()}
	case s.ExitStatus() != 0:
		return &child.StatusError{Code: s.ExitStatus()}
	}
	return nil
}

func usageOf(r *syscall.Rusage) child.Usage {
	return child.Usage{
		User: time.Duration(r.Utime.Nano()), System: time.Duration(r.Stime.Nano()), MaxRSS: maxRSS(int64(r.Maxrss)), //nolint:unconvert // an int32 on 32 bits
	}
}

// maxRSS is the number of bytes that the system means: it counts in kilobytes,
// except for macOS.
func maxRSS(n int64) int64 {
	if runtime.GOOS == "darwin" || runtime.GOOS == "ios" {
		return n
	}
	return n << 10
}
