//go:build linux

package process_test

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/child/process"
	"github.com/coppice-go/coppice/supervisor"
)

// TestTwentyUnwaitedChildrenBesideTwentyOrphans runs in a copy of the test, so
// that nothing else in this program has children.
func TestTwentyUnwaitedChildrenBesideTwentyOrphans(t *testing.T) {
	if os.Getenv("COPPICE_REAPS") == "" {
		copy := exec.Command(os.Args[0], "-test.run=^TestTwentyUnwaitedChildrenBesideTwentyOrphans$", "-test.v")
		copy.Env = append(os.Environ(), "COPPICE_REAPS=1")
		if out, err := copy.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- process.Reaper{Adopt: true}.Serve(ctx) }()
	var hosts []*exec.Cmd
	var orphans []int
	for i := range 20 {
		host := exec.Command("sh", "-c", fmt.Sprintf("exit %d", i+1))
		if err := host.Start(); err != nil {
			t.Fatal(err)
		}
		hosts = append(hosts, host)
		orphans = append(orphans, orphan(t))
	}
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		there := 0
		for _, pid := range orphans {
			if syscall.Kill(pid, 0) == nil {
				there++
			}
		}
		if there == 0 {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("%d of the orphans have not been buried", there)
		}
	}
	for i, host := range hosts {
		if err := host.Wait(); host.ProcessState == nil || host.ProcessState.ExitCode() != i+1 {
			t.Errorf("child %d: %v", i, err)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// orphan is a process whose parent has ended, and that ends soon.
func orphan(t *testing.T) int {
	t.Helper()
	parent := exec.Command("sh", "-c", "sleep 0.2 >/dev/null & echo $!")
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Wait(); err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

func TestASnapshotTellsWhyOrphansComeToUs(t *testing.T) {
	for name, tt := range map[string]struct {
		first bool
		args  []string
		want  string
	}{
		"they do not":                 {false, nil, "no orphans come to us"},
		"by choice":                   {false, []string{"adopt"}, "orphans come to us: we adopt them"},
		"because we had chosen":       {false, []string{"", "before"}, "orphans come to us: we adopt them"},
		"as the first process of all": {true, nil, "orphans come to us: we are the first process"},
	} {
		t.Run(name, func(t *testing.T) {
			var before []string
			if tt.first {
				before = alone(t)
			}
			if got := play(t, before, reaping, tt.args...); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// reaping is a program with a reaper, which says why orphans come to it. It
// adopts them after the end of the reaper if it did so before.
var reaping = addRole("reaping", func(args []string) {
	before := len(args) > 1
	if before {
		orExit(unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
	}
	reaper := process.Reaper{Adopt: before || len(args) > 0}
	sup, err := supervisor.Options{Logger: slog.New(slog.DiscardHandler)}.Start(context.Background(), supervisor.Spec{
		Name: "root", Children: []child.Specer{child.Spec{Name: "reaper", Run: reaper}},
	})
	orExit(err)
	status := ""
	for end := time.Now().Add(10 * time.Second); status == "" && time.Now().Before(end); time.Sleep(time.Millisecond) {
		status = sup.Snapshot().Root.Children[0].Facts.Status
	}
	fmt.Println(status)
	orExit(sup.Stop(context.Background()))
	var on int32
	orExit(unix.Prctl(unix.PR_GET_CHILD_SUBREAPER, uintptr(unsafe.Pointer(&on)), 0, 0, 0))
	if before != (on != 0) {
		fmt.Println("but afterwards it is otherwise")
	}
})
