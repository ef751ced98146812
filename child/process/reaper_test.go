//go:build linux

package process_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coppice-go/coppice/child/process"
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
