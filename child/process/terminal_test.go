//go:build linux

package process_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/child/process"
)

// terminal makes a terminal and returns both of its sides.
func terminal(t *testing.T) (ours, theirs *os.File) {
	t.Helper()
	ours, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip("no terminals: ", err)
	}
	t.Cleanup(func() { _ = ours.Close() })
	if err := unix.IoctlSetPointerInt(int(ours.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Skip("no terminals: ", err)
	}
	n, err := unix.IoctlGetInt(int(ours.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Skip("no terminals: ", err)
	}
	theirs, err = os.OpenFile("/dev/pts/"+strconv.Itoa(n), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skip("no terminals: ", err)
	}
	t.Cleanup(func() { _ = theirs.Close() })
	return ours, theirs
}

// atTerminal plays a role in front of a terminal, at which somebody types
// keys when it says that it is on, and returns what it says.
func atTerminal(t *testing.T, name, keys string, args ...string) string {
	t.Helper()
	ours, theirs := terminal(t)
	cmd := player(t, nil, name, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = theirs, theirs, theirs
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	var said lines
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = io.Copy(&said, ours) }()
	if keys != "" {
		await(t, &said, "on")
		if _, err := ours.WriteString(keys); err != nil {
			t.Error(err)
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v: %s", err, said.String())
	}
	await(t, &said, "over")
	return strings.ReplaceAll(said.String(), "\r\n", "\n")
}

// Whoever presses the key means the program, which then ends the others in its
// own order.
func TestAnInterruptFromTheTerminalReachesOnlyUs(t *testing.T) {
	for _, where := range []string{"session", "terminal"} {
		t.Run("with its own "+where, func(t *testing.T) {
			said := atTerminal(t, interrupted, "\x03", where)
			if strings.Contains(said, "hit") || !strings.Contains(said, "stopped: <nil>") {
				t.Errorf("it says %q", said)
			}
		})
	}
}

var interrupted = addRole("interrupted", func(args []string) {
	heard := notified(syscall.SIGINT)
	r := &running{killed: make(chan struct{}), offered: make(chan *process.Handle, 1), log: new(lines)}
	ctx, stop := context.WithCancel(context.WithValue(context.Background(), child.RuntimeKey{}, r))
	c := process.Command{
		Path: "sh", Args: []string{"-c", `trap "echo hit" INT; trap "exit 0" TERM; echo on; while :; do sleep 0.02; done`},
		Stdout:      process.Output{Writer: os.Stdout},
		Containment: process.Containment{Terminal: args[0] == "terminal"},
	}
	done := make(chan error)
	go func() { done <- c.Serve(ctx) }()
	<-heard
	time.Sleep(100 * time.Millisecond) // it would have heard it by then
	if h := <-r.offered; !h.Alive() {
		fmt.Println("it has ended")
	}
	stop()
	fmt.Println("stopped:", <-done)
	fmt.Println("over")
})

// Whoever can open the terminal can type into it.
func TestAProcessCannotReachOurTerminal(t *testing.T) {
	const script = `if (: </dev/tty) 2>/dev/null; then echo can; else echo cannot; fi`
	for where, want := range map[string]string{"session": "cannot\n", "terminal": "can\n"} {
		if said := atTerminal(t, printer, "", where, script); !strings.HasPrefix(said, want) {
			t.Errorf("with its own %s it says %q", where, said)
		}
	}
}

var printer = addRole("printer", func(args []string) {
	orExit(process.Command{
		Path: "sh", Args: []string{"-c", args[1]},
		Stdout:      process.Output{Writer: os.Stdout},
		Containment: process.Containment{Terminal: args[0] == "terminal"},
	}.Serve(context.Background()))
	fmt.Println("over")
})

func TestAProcessThatWaitsForTheTerminalCanBeStopped(t *testing.T) {
	if _, err := exec.LookPath("cat"); err != nil {
		t.Skip(err)
	}
	if said := atTerminal(t, waiter, ""); !strings.HasPrefix(said, "stopped: <nil>\n") {
		t.Errorf("it says %q", said)
	}
}

// waiter is a program whose child, in the background, reads the terminal.
var waiter = addRole("waiter", func([]string) {
	r := &running{killed: make(chan struct{}), offered: make(chan *process.Handle, 1), log: new(lines)}
	ctx, stop := context.WithCancel(context.WithValue(context.Background(), child.RuntimeKey{}, r))
	c := process.Command{Path: "cat", Args: []string{"/dev/tty"}, Containment: process.Containment{Terminal: true}}
	done := make(chan error)
	go func() { done <- c.Serve(ctx) }()
	h := <-r.offered
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		stat, _ := os.ReadFile("/proc/" + strconv.Itoa(h.PID()) + "/stat")
		if strings.Contains(string(stat), ") T ") {
			break
		}
		if time.Now().After(end) {
			fmt.Println("it was not stopped:", string(stat))
			break
		}
	}
	stop()
	fmt.Println("stopped:", <-done)
	fmt.Println("over")
})
