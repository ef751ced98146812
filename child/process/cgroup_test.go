//go:build linux

package process_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/child/process"
	"github.com/coppice-go/coppice/supervisor"
)

// grouped is a tree with one process in a control group. The test is skipped
// where nobody lets us make one.
func grouped(t *testing.T, script string, c process.Containment) (*supervisor.Supervisor, *lines, string) {
	t.Helper()
	var out lines
	command := shell(t, script, &out)
	command.Containment = c
	sup, err := supervisor.Options{Logger: slog.New(slog.DiscardHandler)}.Start(t.Context(), supervisor.Spec{
		Name: "root", Children: []child.Specer{child.Spec{Name: "grouped", Run: command, Restart: child.Transient}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sup.Stop(context.Background()) })
	where := sup.Snapshot().Root.Children[0].Facts.Containment
	path, ok := strings.CutPrefix(where, "cgroup ")
	if !ok {
		t.Skip("it needs a cgroup v2 that we may divide")
	}
	return sup, &out, path
}

func numbers(t *testing.T, text string) (pids []int) {
	t.Helper()
	for _, field := range strings.Fields(text) {
		if pid, err := strconv.Atoi(field); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

func TestNothingLeavesAControlGroup(t *testing.T) {
	if _, err := exec.LookPath("setsid"); err != nil {
		t.Skip("it needs setsid: ", err)
	}
	sup, out, path := grouped(t, `setsid sh -c 'setsid sleep 300 & echo $!; sleep 300 & echo $!' ; echo done; sleep 300`, process.Containment{Cgroup: true})
	await(t, out, "done")
	pids := numbers(t, out.String())
	if len(pids) != 2 || len(living(pids)) != 2 {
		t.Fatalf("got %v, living %v", pids, living(pids))
	}
	if err := sup.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left := living(pids); len(left) > 0 {
		t.Errorf("live on: %v", left)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the control group is there after the stop: %v", err)
	}
}

func TestAControlGroupIsKeptOverTheRunsOfItsChild(t *testing.T) {
	sup, out, path := grouped(t, `echo "started $$"; sleep 300`, process.Containment{Cgroup: true})
	await(t, out, "started")
	h, err := supervisor.Get[*process.Handle](t.Context(), sup.Find("root/grouped"))
	if err != nil {
		t.Fatal(err)
	}
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Signal(process.Cgroup, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	h.Join(10 * time.Second)
	for end := time.Now().Add(10 * time.Second); strings.Count(out.String(), "started") < 2; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("it did not come back: %+v", sup.Snapshot().Root.Children[0])
		}
	}
	after, err := os.Stat(path)
	if err != nil || !os.SameFile(before, after) {
		t.Errorf("another control group: %v", err)
	}
}

func TestAHardLimitThatCannotBeSetIsAFailedStart(t *testing.T) {
	c := process.Command{Path: "sh", Args: []string{"-c", "exit 0"}, Containment: process.Containment{Cgroup: true, MaxMemory: 64 << 20}}
	err := c.Serve(t.Context())
	var failed *process.StartError
	if err == nil {
		t.Skip("this system lets us set it")
	}
	if !errors.As(err, &failed) || failed.Step != "cgroup" {
		t.Errorf("got %v", err)
	}
}
