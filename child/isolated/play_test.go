//go:build unix

package isolated_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/supervisor"
)

// playParent runs a copy until it is killed.
func playParent() {
	s := waiter.With("waiting")
	s.Command = discard
	sup, err := quiet.Start(context.Background(), supervisor.Spec{Name: "root", Children: []child.Specer{child.Spec{Name: "worker", Run: s}}})
	if err != nil {
		panic(err)
	}
	fmt.Println(sup.Snapshot().Root.Children[0].Facts.PID)
	time.Sleep(time.Hour)
}

// playBomb is a program that runs an isolated function.
func playBomb() {
	s := echo.With(question{})
	err := quiet.Run(context.Background(), supervisor.Spec{Name: "root", Children: []child.Specer{
		child.Spec{Name: "one", Run: s}, child.Spec{Name: "two", Run: s},
	}})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// playReplaced runs a copy after its own file has become another program.
func playReplaced() {
	file, err := os.Executable()
	if err == nil {
		err = os.Remove(file)
	}
	if err == nil {
		err = os.WriteFile(file, []byte("#!/bin/sh\necho another program\n"), 0o755)
	}
	if err != nil {
		panic(err)
	}
	a, err := echo.Call(context.Background(), question{Text: "still me", Times: 1})
	fmt.Println(a.Text, err)
	os.Exit(0)
}

// playMute is a copy that does not get as far as its own guard.
func playMute() {
	_ = syscall.Kill(os.Getpid(), syscall.SIGSTOP)
}

// ownLimits is what Go knows of its limits.
func ownLimits() map[string]string {
	limits := map[string]string{
		"GOMAXPROCS": strconv.Itoa(runtime.GOMAXPROCS(0)),
		"GOMEMLIMIT": strconv.FormatInt(debug.SetMemoryLimit(-1), 10),
	}
	cgroup, _ := os.ReadFile("/proc/self/cgroup")
	for line := range strings.Lines(string(cgroup)) {
		if path, ok := strings.CutPrefix(strings.TrimSpace(line), "0::"); ok {
			for _, root := range []string{"/sys/fs/cgroup", "/sys/fs/cgroup/unified"} { // the limit is that of the group around the run's own
				if most, err := os.ReadFile(filepath.Join(root, filepath.Dir(path), "memory.max")); err == nil {
					limits["group"] = strings.TrimSpace(string(most))
				}
			}
		}
	}
	text, _ := os.ReadFile("/proc/self/limits")
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "Max data size"); ok {
			limits["data"] = strings.Fields(rest)[0]
		}
	}
	return limits
}
