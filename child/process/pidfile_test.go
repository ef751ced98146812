//go:build linux

package process_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/child/process"
	"github.com/coppice-go/coppice/supervisor"
)

// leaving is a program that leaves itself, and the path of its PIDFile.
func leaving(t *testing.T, script string) (process.Command, string) {
	t.Helper()
	c := shell(t, script, new(lines))
	c.Stdout, c.Stderr = process.Output{To: process.Discard}, process.Output{To: process.Discard}
	c.Dir, c.PIDFile = t.TempDir(), "pid"
	return c, filepath.Join(c.Dir, "pid")
}

// daemon stays in a session of its own where there is setsid.
const daemon = `s=; command -v setsid >/dev/null && s=setsid; $s sh -c 'echo $$ >pid.new; mv pid.new pid; sleep 300 & wait' & exit 0`

// left waits until the PIDFile names a living process.
func left(t *testing.T, path string) int {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		content, _ := os.ReadFile(path)
		if pid, err := strconv.Atoi(strings.TrimSpace(string(content))); err == nil {
			return pid
		}
	}
	t.Fatal("nobody wrote the PIDFile")
	return 0
}

func TestAProgramThatLeavesItselfIsFollowedByItsPIDFile(t *testing.T) {
	c, path := leaving(t, daemon)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- c.Serve(ctx) }()
	pid := left(t, path)
	select {
	case err := <-done:
		t.Fatalf("it ended with its first process: %v", err)
	case <-time.After(200 * time.Millisecond):
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("the stop: got %v", err)
	}
	if l := living([]int{pid}); len(l) > 0 {
		t.Errorf("%v lives on", l)
	}
}

func TestTheEndOfWhatAPIDFileNamesIsSeen(t *testing.T) {
	c, path := leaving(t, daemon)
	sup, err := supervisor.Options{Logger: slog.New(slog.DiscardHandler)}.Start(t.Context(), supervisor.Spec{
		Name: "root", Children: []child.Specer{child.Spec{Name: "daemon", Run: c}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer sup.Stop(context.Background())
	h, err := supervisor.Get[*process.Handle](t.Context(), sup.Find("root/daemon"))
	if err != nil {
		t.Fatal(err)
	}
	if pid := left(t, path); pid != h.PID() {
		t.Errorf("the handle is of %d, want %d", h.PID(), pid)
	}
	if err := h.Signal(process.Leader, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	h.Join(10 * time.Second)
	if !errors.Is(h.Err(), process.ErrStatusLost) {
		t.Errorf("got %v", h.Err())
	}
}

func TestAPIDFileThatIsWrongIsAFailedStart(t *testing.T) { //nolint:tparallel // the three wait together, and for nobody else
	if testing.Short() {
		t.Skip("it waits for the file for five seconds")
	}
	other := strconv.Itoa(os.Getpid())
	for name, script := range map[string]string{
		"stale":   "echo " + other + " >pid",
		"no name": "echo x >pid",
		"missing": "exit 0",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, _ := leaving(t, script)
			var failed *child.StartError
			if err := c.Serve(t.Context()); !errors.As(err, &failed) || !strings.Contains(err.Error(), "pidfile") {
				t.Errorf("got %v", err)
			}
		})
	}
}
