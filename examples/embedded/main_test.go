//go:build unix

package main

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coppice-go/coppice/supervisor"
)

// The test binary plays the program.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "embedded" {
		os.Args = append(os.Args[:1], os.Args[2:]...)
		main()
	}
	os.Exit(m.Run())
}

func TestItEndsByItself(t *testing.T) {
	need(t, "sh")
	if err := run(io.Discard, "localhost:0", time.Second/2); err != nil {
		t.Error("status ", supervisor.ExitStatus(err), ": ", err)
	}
}

func TestItServesUntilSIGTERMAndLeavesNothingBehind(t *testing.T) {
	need(t, "sh", "curl")
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, "embedded", "-http", "localhost:0", "-for", "1m")
	var log bytes.Buffer // read after its end
	cmd.Stderr = &log
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	_, url, ok := strings.Cut(strings.TrimSpace(line), "serving at ")
	if !ok {
		t.Fatalf("it printed %q: %v", line, err)
	}
	for path, want := range map[string]string{
		"orders": "ordered", "metrics": `path="shop/sidecar"`, "observe/": "<html", "observe/healthz": "",
		"observe/readyz": "", "observe/metrics": "shop_packed_total",
	} {
		if body := curl(t, url+path); !strings.Contains(body, want) {
			t.Errorf("/%s has no %q:\n%s", path, want, body)
		}
	}
	sidecar := children(t, cmd.Process.Pid)
	if len(sidecar) == 0 {
		t.Error("there is no process in the tree")
	}
	began := time.Now()
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("after SIGTERM: %v\n%s", err, log.String())
	}
	if took := time.Since(began); took > budget {
		t.Errorf("the end took %v", took)
	}
	for _, pid := range sidecar {
		// What guards processes against the death of the program outlives it by
		// a moment.
		for until := time.Now().Add(20 * time.Second); alive(pid); time.Sleep(20 * time.Millisecond) {
			if time.Now().After(until) {
				t.Fatalf("process %d is left", pid)
			}
		}
	}
}

// alive reports whether there is such a process, and not just its status.
func alive(pid int) bool {
	state, err := exec.Command("ps", "-o", "stat=", "-p", strconv.Itoa(pid)).Output()
	return err == nil && !strings.HasPrefix(strings.TrimSpace(string(state)), "Z")
}

func need(t *testing.T, programs ...string) {
	t.Helper()
	for _, name := range programs {
		if _, err := exec.LookPath(name); err != nil {
			t.Skip("the test needs a program: ", err)
		}
	}
}

// curl fails the test unless the answer is a good one.
func curl(t *testing.T, url string) string {
	t.Helper()
	body, err := exec.CommandContext(t.Context(), "curl", "-sS", "--fail", "--max-time", "10", "--noproxy", "*", url).CombinedOutput()
	if err != nil {
		t.Errorf("curl %s: %v", url, err)
	}
	return string(body)
}

// children are the processes whose parent is pid.
func children(t *testing.T, pid int) (pids []int) {
	t.Helper()
	table, err := exec.CommandContext(t.Context(), "ps", "-A", "-o", "pid=,ppid=").Output()
	if err != nil {
		t.Skip("the processes cannot be listed: ", err)
	}
	for row := range strings.Lines(string(table)) {
		if f := strings.Fields(row); len(f) == 2 && f[1] == strconv.Itoa(pid) {
			if own, err := strconv.Atoi(f[0]); err == nil {
				pids = append(pids, own)
			}
		}
	}
	return pids
}
