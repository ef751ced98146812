//go:build linux

package process_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/coppice-go/coppice/child/process"
	"github.com/coppice-go/coppice/child/process/internal/spawn"
)

func TestOurDescriptorsAreNotTheProcesss(t *testing.T) {
	needTools(t, "ls")
	const ownAndThatOfTheFolder = "0\n1\n2\n3"
	if got := play(t, nil, lister); got != ownAndThatOfTheFolder {
		t.Errorf("of those that Go has opened it has %q", got)
	}
	if !spawn.Vfork {
		t.Skip("this build starts processes as the system's library does")
	}
	if got := play(t, []string{"sh", "-c", `exec 7</dev/null; exec 9</dev/null; exec "$0" "$@"`}, lister, "more"); got != ownAndThatOfTheFolder {
		t.Errorf("of those that we were given it has %q", got)
	}
}

// lister is a program with open files whose child lists its own.
var lister = addRole("lister", func(args []string) {
	for _, entry := range descriptors() {
		fd, err := strconv.Atoi(entry.Name())
		orExit(err)
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
		if err == nil && fd > 2 && flags&unix.FD_CLOEXEC == 0 && len(args) == 0 {
			orExit(syscall.Close(fd)) // whoever started the tests has left it open
		}
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	orExit(err)
	defer listener.Close()
	f, err := os.Open(os.DevNull)
	orExit(err)
	defer f.Close()
	if len(args) > 0 {
		_, err := syscall.Open(os.DevNull, syscall.O_RDONLY, 0) // C libraries do so
		orExit(err)
	}
	orExit(process.Command{Path: "ls", Args: []string{"/proc/self/fd"}, Stdout: process.Output{Writer: os.Stdout}}.Serve(context.Background()))
})

func TestAProgramWithoutStandardStreamsCanStartOthers(t *testing.T) {
	needTools(t, "cat")
	path := t.TempDir() + "/said"
	play(t, []string{"sh", "-c", `exec "$0" "$@" <&- >&- 2>&-`}, naked, path)
	got, err := os.ReadFile(path)
	if err != nil || string(got) != "out\nerr\nover\n" {
		t.Errorf("got %q, %v", got, err)
	}
}

// naked is a program that was started without standard streams.
var naked = addRole("naked", func(args []string) {
	f, err := os.Create(args[0])
	if err != nil {
		os.Exit(1)
	}
	c := process.Command{Path: "sh", Args: []string{"-c", "echo out; echo err >&2; cat; echo over"}}
	c.Stdout, c.Stderr = process.Output{Writer: f}, process.Output{Writer: f}
	if c.Serve(context.Background()) != nil || f.Close() != nil {
		os.Exit(1)
	}
	inherits := process.Command{Path: "sh", Args: []string{"-c", "cat; echo out; echo err >&2"}, Stdin: process.Input{From: process.Ours}}
	inherits.Stdout, inherits.Stderr = process.Output{To: process.Inherit}, process.Output{To: process.Inherit}
	if err := inherits.Serve(context.Background()); err != nil {
		os.Exit(1)
	}
})

func TestAStreamIsASocketBothCanUse(t *testing.T) {
	c := shell(t, `while read -r line <&3; do echo "got $line" >&3; done`, new(lines))
	c.Streams = []process.Stream{{Name: "talk"}}
	r := serving(t, c)
	conn := r.Stream("talk")
	if conn == nil || r.Stream("other") != nil {
		t.Fatal("the wrong streams")
	}
	if _, err := fmt.Fprintln(conn, "hello"); err != nil {
		t.Fatal(err)
	}
	if answer, err := bufio.NewReader(conn).ReadString('\n'); err != nil || answer != "got hello\n" {
		t.Errorf("got %q, %v", answer, err)
	}
	if err := r.ended(); err != nil {
		t.Error(err)
	}
	if _, err := conn.Write([]byte("x")); err == nil {
		t.Error("it is open after the run")
	}
}

func TestASocketStaysOpenBetweenTheRuns(t *testing.T) {
	if !spawn.Vfork {
		t.Skip("sockets are passed on by a start of our own only")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Skip("no network: ", err)
	}
	defer listener.Close()
	f, err := listener.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for range 2 {
		var out lines
		c := shell(t, `echo "$LISTEN_FDS $LISTEN_FDNAMES"; [ "$LISTEN_PID" = $$ ] && echo mine; ls -l /proc/self/fd/3`, &out)
		c.Sockets = []process.Socket{{Name: "web", File: f}}
		if err := c.Serve(t.Context()); err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(out.String(), "1 web\n") || !strings.Contains(out.String(), "socket:") {
			t.Errorf("got %q", out.String())
		}
		if !strings.Contains(out.String(), "\nmine\n") {
			t.Errorf("the number is another's: %q", out.String())
		}
		conn, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.Close()
	}
}
