//go:build unix

package process_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/child/process"
)

// lines collects what a command prints.
type lines struct {
	mu  sync.Mutex // protects buf
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func shell(t *testing.T, script string, out *lines) process.Command {
	t.Helper()
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("it needs a POSIX shell: ", err)
	}
	return process.Command{Path: "sh", Args: []string{"-c", script}, Stdout: process.Output{Writer: out}, Stderr: process.Output{Writer: out}}
}

// await waits until a real process has printed want.
func await(t *testing.T, out *lines, want string) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !strings.Contains(out.String(), want); {
		if time.Now().After(end) {
			t.Fatalf("got %q, want %q in it", out.String(), want)
		}
		time.Sleep(time.Millisecond)
	}
}

func TestTheExitCodeAndTheSignalAreTold(t *testing.T) {
	var status *child.StatusError
	var out lines
	if err := shell(t, "exit 0", &out).Serve(t.Context()); err != nil {
		t.Errorf("exit 0: got %v", err)
	}
	if err := shell(t, "exit 3", &out).Serve(t.Context()); !errors.As(err, &status) || status.Code != 3 {
		t.Errorf("exit 3: got %v", err)
	}
	if err := shell(t, "kill -KILL $$", &out).Serve(t.Context()); !errors.As(err, &status) || status.Signal != syscall.SIGKILL {
		t.Errorf("SIGKILL: got %v", err)
	}
}

func TestAMissingProgramIsAFailedStart(t *testing.T) {
	for _, c := range []process.Command{{Path: "/no/such/program"}, {Path: "no-such-program"}, {Path: "sh", Dir: "/no/such/dir"}, {Path: os.TempDir()}} {
		var failed *child.StartError
		if err := c.Serve(t.Context()); !errors.As(err, &failed) || failed.Temporary {
			t.Errorf("%s in %q: got %v", c.Path, c.Dir, err)
		}
	}
}

// A newcomer writes a command line where a program is meant.
func TestACommandLineInThePlaceOfAProgramIsToldWhereItBelongs(t *testing.T) {
	for path, want := range map[string]string{
		"no-such-program 10": "no-such-program 10: lookup: it is in no directory of PATH; arguments belong in Args, and a line for the shell needs Shell: ",
		"no-such-program":    "no-such-program: lookup: it is in no directory of PATH: ",
	} {
		err := process.Command{Path: path}.Serve(t.Context())
		if err == nil || !strings.HasPrefix(err.Error(), "process: "+want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestArgumentsEnvironmentAndDirectoryArrive(t *testing.T) {
	var out lines
	c := shell(t, `printf '%s|%s|%s' "$1" "$K" "$(pwd)"`, &out)
	c.Args = append(c.Args, "sh", "a b")
	c.Env, c.Dir = []string{"K=v w", "PATH=" + os.Getenv("PATH")}, "/"
	if err := c.Serve(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, want := out.String(), "a b|v w|/\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAToldProcessThatObeysHasStoppedCleanly(t *testing.T) {
	var out lines
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		done <- shell(t, `trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.01; done`, &out).Serve(ctx)
	}()
	await(t, &out, "ready")
	cancel()
	if err := <-done; err != nil {
		t.Errorf("got %v", err)
	}
	if !strings.Contains(out.String(), "bye") {
		t.Errorf("got %q", out.String())
	}
}

func TestWhatWasPrintedBeforeTheExitArrives(t *testing.T) {
	for range 20 {
		var out lines
		if err := shell(t, `i=0; while [ $i -lt 1000 ]; do echo "line $i of the output, with some more in it"; i=$((i+1)); done; printf last`, &out).Serve(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := strings.Count(out.String(), "\n"); got != 1001 || !strings.HasSuffix(out.String(), "last\n") {
			t.Fatalf("got %d lines", got)
		}
	}
}

func TestWhatRemainsOfTheGroupIsKilledAndHoldsUpNothing(t *testing.T) {
	var out lines
	began := time.Now()
	if err := shell(t, `sleep 60 & echo $!`, &out).Serve(t.Context()); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("the exit took %v", took)
	}
}

func TestNothingIsLeftAfterServe(t *testing.T) {
	descriptors := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip("descriptors are counted in /proc: ", err)
		}
		return len(entries)
	}
	var out lines
	_ = shell(t, "exit 0", &out).Serve(t.Context())
	before := descriptors()
	for range 50 {
		_ = shell(t, "exit 1", &out).Serve(t.Context())
		_ = process.Command{Path: "/no/such/program"}.Serve(t.Context())
	}
	if after := descriptors(); after > before+2 {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
}
