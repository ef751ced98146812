//go:build unix

package main

import (
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// short is a directory with a short path and a mode.
func short(t *testing.T, mode os.FileMode) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "pf")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, mode); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestTheSocketIsItsOwnersAlone(t *testing.T) {
	t.Parallel()
	path := filepath.Join(short(t, 0o700), "new", "s")
	listener, err := listen(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]os.FileMode{path: 0o600 | os.ModeSocket, filepath.Dir(path): 0o700 | os.ModeDir} {
		if info, err := os.Lstat(name); err != nil || info.Mode() != want {
			t.Errorf("%s has mode %v, %v", name, info.Mode(), err)
		}
	}
	if _, err := listen(path); err == nil || !strings.Contains(err.Error(), "it runs already") {
		t.Errorf("a second one gets %v", err)
	}
	if err := listener.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(path); !os.IsNotExist(err) {
		t.Errorf("after its end the socket is there: %v", err)
	}
}

func TestADirectoryThatOthersCanEnterIsRefused(t *testing.T) {
	t.Parallel()
	dir := short(t, 0o700)
	link := filepath.Join(dir, "link")
	if err := os.Symlink(short(t, 0o700), link); err != nil {
		t.Fatal(err)
	}
	for name, dir := range map[string]string{
		"all can enter": short(t, 0o711), "the group can enter": short(t, 0o710), "a link": link,
	} {
		t.Run(name, func(t *testing.T) {
			listener, err := listen(filepath.Join(dir, "s"))
			if err == nil {
				_ = listener.Close()
			}
			if err == nil || !strings.Contains(err.Error(), "mode 0700") {
				t.Errorf("it gets %v", err)
			}
		})
	}
}

func TestADirectoryOfAnotherIsRefused(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root can give a directory away")
	}
	dir := short(t, 0o700)
	if err := os.Chown(dir, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	if listener, err := listen(filepath.Join(dir, "s")); err == nil {
		_ = listener.Close()
		t.Error("it was taken")
	}
}

func TestWhatIsNoSocketIsNotRemoved(t *testing.T) {
	t.Parallel()
	path := filepath.Join(short(t, 0o700), "s")
	write(t, path, "precious")
	if listener, err := listen(path); err == nil {
		_ = listener.Close()
		t.Error("it was taken")
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "precious" {
		t.Errorf("it holds %q, %v", text, err)
	}
}

// TestAConnectionOfAnotherUserIsClosed takes away what else keeps others out:
// the modes of the directory and the socket.
func TestAConnectionOfAnotherUserIsClosed(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root can be another user")
	}
	needs(t, "perl")
	dir := short(t, 0o755)
	path := filepath.Join(dir, "s")
	inner, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o777); err != nil {
		t.Fatal(err)
	}
	listener := &guarded{inner}
	defer func() { _ = listener.Close() }()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(conn, "welcome")
			_ = conn.Close()
		}
	}()
	const script = `use IO::Socket::UNIX; my $s = IO::Socket::UNIX->new(Peer => $ARGV[0]) or die $!; print <$s>, "end"`
	for uid, want := range map[uint32]string{0: "welcomeend", 65534: "end"} {
		cmd := exec.Command("perl", "-e", script, path)
		cmd.Dir = dir
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
		if out, err := cmd.CombinedOutput(); string(out) != want {
			t.Errorf("user %d gets %q, %v; want %q", uid, out, err, want)
		}
	}
}

func TestTheSocketLiesWhereOnlyItsOwnerWrites(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", "/run/user/1")
	path, err := socketFor("/project/Procfile")
	if err != nil || !strings.HasPrefix(path, "/run/user/1/coppice-procfile/") {
		t.Errorf("it lies at %q, %v", path, err)
	}
	if other, _ := socketFor("/other/Procfile"); other == path {
		t.Error("two projects share it")
	}
	t.Setenv("XDG_RUNTIME_DIR", "")
	t.Setenv("HOME", "/home/somebody")
	t.Setenv("XDG_CACHE_HOME", "")
	if path, err := socketFor("/project/Procfile"); err != nil || !strings.HasPrefix(path, "/home/somebody/") {
		t.Errorf("without a run time directory it lies at %q, %v", path, err)
	}
}
