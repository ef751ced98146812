//go:build unix

package probe_test

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// fifo is a pipe by name, which a program can open.
func fifo(t *testing.T) (name string) {
	t.Helper()
	name = filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		t.Skip("it needs a named pipe: ", err)
	}
	return name
}

func TestAProgramIsKilledWithItsGroupWhenTheTimeIsOver(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"a child of its own":   `exec 9>"$1"; echo up >&9; sleep 1000 & sleep 1000`,
		"a grandchild":         `exec 9>"$1"; echo up >&9; sh -c 'sleep 1000 & sleep 1000' & wait`,
		"nobody wants to hear": `exec 9>"$1"; trap '' TERM HUP INT; echo up >&9; (while :; do sleep 1000; done) & while :; do sleep 1000; done`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pipe := fifo(t)
			held, err := os.OpenFile(pipe, os.O_RDONLY|syscall.O_NONBLOCK, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = held.Close() }()
			if err := ask(t, 10*short, script(t, text, pipe).Ping); err == nil {
				t.Error("it did not fail")
			}
			// Its end comes when nobody of the group has it open any more.
			_ = held.SetReadDeadline(time.Now().Add(ample))
			if got, err := io.ReadAll(held); err != nil || string(got) != "up\n" {
				t.Errorf("got %q and %v; somebody of the group is left", got, err)
			}
		})
	}
}

func TestWhatHoldsTheOutputOfAProgramDoesNotHoldUpItsPing(t *testing.T) {
	t.Parallel()
	t.Run("a member of the group is killed", func(t *testing.T) {
		t.Parallel()
		if err := ask(t, ample, script(t, "sleep 1000 & exit 0").Ping); err != nil {
			t.Error(err)
		}
	})
	t.Run("one that left the group is not waited for", func(t *testing.T) {
		t.Parallel()
		if _, err := exec.LookPath("setsid"); err != nil {
			t.Skip("it needs setsid: ", err)
		}
		pipe, up := fifo(t), fifo(t)
		ours, err := os.OpenFile(pipe, os.O_RDWR, 0) // its end, when we close it, ends the one that left
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = ours.Close() }()
		err = ask(t, ample, script(t, `setsid sh -c 'exec 9<"$1"; echo left; echo up >"$2"; read line <&9' sh "$1" "$2" & read line <"$2"; exit 3`, pipe, up).Ping)
		wantError(t, err, "exit code 3: left")
	})
}
