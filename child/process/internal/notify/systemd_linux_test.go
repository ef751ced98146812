package notify

import (
	"os"
	"os/exec"
	"slices"
	"syscall"
	"testing"
	"time"
)

// TestSystemdNotifyIsUnderstood runs the program of that name, which is how
// scripts notify.
func TestSystemdNotifyIsUnderstood(t *testing.T) {
	program, err := exec.LookPath("systemd-notify")
	if err != nil {
		t.Skip("Debian's package systemd has it: ", err)
	}
	script := func(t *testing.T, e *ear, uid int, child *leader, text string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "/bin/sh", "-ec", text)
		cmd.Env = append(Environ(e.Path(), 0), "notify="+program)
		cmd.Dir = "/"
		cmd.Stderr = t.Output()
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		if uid != os.Getuid() {
			asUser(t, cmd, uint32(uid))
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		child.is(cmd)
		if err := cmd.Wait(); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	ordinary := os.Getuid()
	if ordinary == 0 {
		ordinary = nobody
	}
	for name, uid := range map[string]int{"as our user": os.Getuid(), "as an ordinary user": ordinary} {
		t.Run(name, func(t *testing.T) {
			child := newLeader()
			e := listen(t, uid, child.member)
			began := time.Now()
			script(t, e, uid, child, `$notify --ready --status="half way"; $notify STOPPING=1 ERRNO=2`)
			if took := time.Since(began); took > 4*time.Second {
				t.Errorf("a barrier was waited for in vain: %v", took)
			}
			want := []Message{{Fields: Ready | Status, Status: "half way"}, {Fields: Stopping | Errno, Errno: syscall.ENOENT}}
			if got := e.all(t); !slices.Equal(got, want) {
				t.Errorf("got %+v", got)
			}
		})
		t.Run(name+" that does not wait a hundred times", func(t *testing.T) {
			child := newLeader()
			e := listen(t, uid, child.member)
			script(t, e, uid, child, `i=0; while [ $i -lt 100 ]; do $notify --no-block "STATUS=$i"; i=$((i+1)); done`)
			if got := e.all(t); len(got) != 100 || got[99].Status != "99" {
				t.Errorf("%d of 100 were heard: %+v", len(got), e.Counters())
			}
		})
		t.Run(name+" a stranger with it", func(t *testing.T) {
			e := listen(t, uid, members())
			// Its parent, for which root's speaks, lives while it is looked up;
			// an ordinary user's waits for a barrier, and so lives itself. A
			// barrier falls before its sender is looked up.
			script(t, e, uid, newLeader(), `$notify --ready; $notify --status=x`)
			if got := e.all(t); len(got) != 0 {
				t.Errorf("got %+v", got)
			}
			if c := e.Counters(); c.Refused < 2 {
				t.Errorf("got %+v", c)
			}
		})
	}
}
