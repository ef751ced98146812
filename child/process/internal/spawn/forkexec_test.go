//go:build unix && (coppice_forkexec || !linux || !(amd64 || arm64))

package spawn

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

func TestWhatCannotBeHadIsRefused(t *testing.T) {
	n := 1
	for _, tt := range []struct {
		name string
		attr Attr
	}{
		{"umask", Attr{Umask: &n}},
		{"nice", Attr{Nice: &n}},
		{"io priority", Attr{IOPriority: &n}},
		{"processors", Attr{CPUs: []int{0}}},
		{"limits", Attr{Rlimits: []Rlimit{{}}}},
		{"oom score", Attr{OOMScore: &n}},
		{"no new privileges", Attr{NoNewPrivs: true}},
		{"LISTEN_PID", Attr{ListenPID: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := Supports(&tt.attr); err == nil || !strings.Contains(err.Error(), tt.name) {
				t.Errorf("got %v", err)
			}
		})
	}
	if err := Supports(&Attr{Session: true, Chroot: "/", Dir: "/", Credential: &Credential{}}); err != nil {
		t.Error(err)
	}
}

func TestTheChildStartsOrTheSystemsAnswerIsTold(t *testing.T) {
	path, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("it needs a POSIX shell: ", err)
	}
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	a := &Attr{Path: path, Args: []string{"sh", "-c", "pwd"}, Dir: "/", Files: []int{-1, int(write.Fd()), 2}, Group: true}
	pid, pidfd, err := Start(a)
	write.Close()
	if err != nil {
		t.Fatal(err)
	}
	if group, err := syscall.Getpgid(pid); err != nil || group != pid {
		t.Errorf("its group is %d, %v", group, err)
	}
	b := make([]byte, 10)
	if n, err := read.Read(b); string(b[:n]) != "/\n" {
		t.Errorf("got %q, %v", b[:n], err)
	}
	if pidfd >= 0 {
		syscall.Close(pidfd)
	}
	if _, err := syscall.Wait4(pid, nil, 0, nil); err != nil {
		t.Error(err)
	}
	a.Path = "/no/such"
	var e *Error
	if _, _, err = Start(a); !errors.As(err, &e) || *e != (Error{"exec", syscall.ENOENT}) {
		t.Errorf("got %v", err)
	}
}
