package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/coppice-go/coppice/child"
)

// reapEvery is how often a reaper looks if no signal tells it to.
const reapEvery = 5 * time.Second

// Validate accepts every Reaper here.
func (Reaper) Validate() error { return nil }

// Serve buries orphans until ctx ends.
func (r Reaper) Serve(ctx context.Context) error {
	before := adopts()
	if r.Adopt && !before {
		if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
			return fmt.Errorf("process: cannot adopt orphans: %w", err)
		}
		defer func() { _ = unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0) }()
	}
	child.Publish(ctx, child.Facts{Status: adoption(os.Getpid() == 1, r.Adopt || before)})
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGCHLD)
	defer signal.Stop(ended)
	tick := time.NewTicker(reapEvery)
	defer tick.Stop()
	for {
		for _, pid := range zombies() {
			bury(pid)
		}
		select {
		case <-ended:
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// adopts reports whether orphans below our program come to it by its own wish.
func adopts() bool {
	var on int32
	err := unix.Prctl(unix.PR_GET_CHILD_SUBREAPER, uintptr(unsafe.Pointer(&on)), 0, 0, 0)
	return err == nil && on != 0
}

// adoption is why orphans come to our program, in words.
func adoption(first, adopts bool) string {
	switch {
	case first:
		return "orphans come to us: we are the first process"
	case adopts:
		return "orphans come to us: we adopt them"
	}
	return "no orphans come to us"
}

// zombies are the children of our program that have ended and that nobody has
// waited for.
func zombies() (dead []int) {
	for _, pid := range children(os.Getpid()) {
		stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		if err == nil && bytes.HasPrefix(stat[bytes.LastIndexByte(stat, ')')+1:], []byte(" Z")) {
			dead = append(dead, pid)
		}
	}
	return dead
}

// bury waits for a zombie unless somebody refers to it. It holds it while it
// looks, so that its number cannot become another's.
func bury(pid int) {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return
	}
	defer unix.Close(fd)
	if refers(pid, fd) {
		return
	}
	for errors.Is(unix.Waitid(unix.P_PIDFD, fd, nil, unix.WEXITED|unix.WNOHANG, nil), unix.EINTR) {
	}
}

// refers reports whether a descriptor of this program other than own refers to
// the process. If that cannot be told, one does.
func refers(pid, own int) bool {
	const dir = "/proc/self/fd/"
	fds, err := os.ReadDir(dir)
	if err != nil {
		return true
	}
	for _, fd := range fds {
		target, err := os.Readlink(dir + fd.Name())
		if err != nil || !strings.Contains(target, "pidfd") || fd.Name() == strconv.Itoa(own) {
			continue
		}
		info, err := os.ReadFile(filepath.Join("/proc/self/fdinfo", fd.Name()))
		if err == nil && bytes.Contains(info, []byte("\nPid:\t"+strconv.Itoa(pid)+"\n")) {
			return true
		}
	}
	return false
}
