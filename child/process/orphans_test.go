//go:build linux

package process_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coppice-go/coppice/child/process"
)

// tree is a script that brings about four processes, two of them in a session
// of their own, of which one has lost its parent within that session's group,
// and prints the numbers of all.
const treeScript = `
sleep 300 & echo $!
if command -v setsid >/dev/null; then
	setsid sh -c 'echo $$; sleep 300 & echo $!; wait' &
fi
echo $$
wait`

// dies is a program with ten process trees that waits to be killed.
func dies(orphan process.Orphan) {
	done := make(chan error)
	for range 10 {
		c := process.Command{Path: "sh", Args: []string{"-c", treeScript}, Orphan: orphan,
			Stdout: process.Output{Writer: os.Stdout}, Stderr: process.Output{To: process.Discard}}
		go func() { done <- c.Serve(context.Background()) }()
	}
	fmt.Println(<-done) // not before it is killed
}

// dying starts a copy of the test that dies, and returns the numbers of the
// processes that it has brought about when there are enough.
func dying(t *testing.T, role string) (program *exec.Cmd, pids []int) {
	t.Helper()
	program = exec.Command(os.Args[0], "-test.run=^TestNothingOutlivesAProgramThatWasKilled$")
	program.Env = append(os.Environ(), "COPPICE_DIES="+role)
	out, err := program.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = program.Process.Kill(); _ = program.Wait() })
	want := 20
	if _, err := exec.LookPath("setsid"); err == nil {
		want = 40
	}
	lines := bufio.NewScanner(out)
	for len(pids) < want && lines.Scan() {
		if pid, err := strconv.Atoi(lines.Text()); err == nil {
			pids = append(pids, pid)
		}
	}
	if len(pids) < want {
		t.Fatalf("%d processes, want %d: %v", len(pids), want, lines.Err())
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	return program, pids
}

// living are those of pids that are there and no zombies.
func living(pids []int) (left []int) {
	for _, pid := range pids {
		stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		if err == nil && !bytes.Contains(stat, []byte(") Z ")) {
			left = append(left, pid)
		}
	}
	return left
}

func TestNothingOutlivesAProgramThatWasKilled(t *testing.T) {
	switch os.Getenv("COPPICE_DIES") {
	case "":
	case "too":
		dies(process.DieToo)
	case "alone":
		dies(process.LiveOn)
	}
	program, pids := dying(t, "too")
	killed := time.Now()
	if err := program.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for left := living(pids); len(left) > 0; left = living(pids) {
		if time.Since(killed) > 10*time.Second {
			t.Fatalf("%d of %d live on: %v", len(left), len(pids), left)
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Logf("%d processes were gone after %v", len(pids), time.Since(killed).Round(time.Millisecond))
}

func TestAWatcherThatDiesIsReplaced(t *testing.T) {
	program, pids := dying(t, "too")
	first := watcherOf(t, program.Process.Pid, 0)
	time.Sleep(1100 * time.Millisecond) // it is replaced at once if it lived for a second
	if err := syscall.Kill(first, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	watcherOf(t, program.Process.Pid, first)
	_ = program.Process.Kill()
	for end := time.Now().Add(10 * time.Second); len(living(pids)) > 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("live on: %v", living(pids))
		}
	}
}

// watcherOf is the watcher of a program, another one than before.
func watcherOf(t *testing.T, program, before int) int {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		all, _ := os.ReadDir("/proc")
		for _, entry := range all {
			pid, err := strconv.Atoi(entry.Name())
			if err != nil || pid == before {
				continue
			}
			line, _ := os.ReadFile("/proc/" + entry.Name() + "/cmdline")
			stat, _ := os.ReadFile("/proc/" + entry.Name() + "/stat")
			if bytes.HasSuffix(line, []byte("\x00coppice-watcher\x00")) && strings.Contains(string(stat), ") S "+strconv.Itoa(program)+" ") {
				return pid
			}
		}
	}
	t.Fatal("there is no watcher")
	return 0
}

func TestWhoMayLiveOnOutlivesAProgramThatWasKilled(t *testing.T) {
	program, pids := dying(t, "alone")
	_ = program.Process.Kill()
	_ = program.Wait()
	time.Sleep(200 * time.Millisecond) // long enough for a watcher, if there were one
	left := living(pids)
	for _, pid := range pids {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			t.Error(err)
		}
	}
	if len(left) != len(pids) {
		t.Errorf("%d of %d live on", len(left), len(pids))
	}
}
