//go:build linux && (amd64 || arm64) && !coppice_forkexec

package spawn

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// hung is how long an exec hangs before a gate that is not opened.
const hung = 3 * time.Second

// playGate holds whoever executes the file that the environment names, for one
// line of input or until it has hung long enough. It is a process of its own:
// whatever the exec holds up, it is not what ends that.
func playGate() {
	fd, err := unix.FanotifyInit(unix.FAN_CLASS_CONTENT|unix.FAN_CLOEXEC, unix.O_RDONLY|unix.O_CLOEXEC)
	if err == nil {
		err = unix.FanotifyMark(fd, unix.FAN_MARK_ADD, unix.FAN_OPEN_EXEC_PERM, unix.AT_FDCWD, os.Getenv("FILE"))
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("ready")
	var event unix.FanotifyEventMetadata
	b := (*[unsafe.Sizeof(event)]byte)(unsafe.Pointer(&event))
	if _, err := unix.Read(fd, b[:]); err != nil {
		panic(err)
	}
	fmt.Println("held")
	opened := make(chan struct{})
	go func() {
		defer close(opened)
		_, _ = os.Stdin.Read(make([]byte, 1))
	}()
	select {
	case <-opened:
	case <-time.After(hung):
	}
	// The end of this process lets everybody pass.
}

// A gate is such a process.
type gate struct {
	t     *testing.T
	path  string
	says  *bufio.Reader
	input io.WriteCloser
}

// newGate is a gate before a copy of the file at path.
func newGate(t *testing.T, path string) *gate {
	t.Helper()
	g := &gate{t: t, path: filepath.Join(t.TempDir(), "held")}
	program, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(g.path, program, 0o755); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	keeper := exec.Command(self)
	keeper.Env = append(os.Environ(), role+"=gate", "FILE="+g.path)
	if g.input, err = keeper.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := keeper.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := keeper.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		g.open()
		_ = keeper.Wait()
	})
	g.says = bufio.NewReader(out)
	if answer := g.hear(); answer != "ready" {
		t.Skip("it needs to decide who executes (fanotify): ", answer)
	}
	return g
}

// hear is the next line that it says.
func (g *gate) hear() string {
	line, _ := g.says.ReadString('\n')
	return strings.TrimSpace(line)
}

// open lets everybody pass.
func (g *gate) open() { _ = g.input.Close() }

// held starts what the gate holds. The function returns its number, once it
// has passed.
func held(t *testing.T) (*gate, func() int) {
	t.Helper()
	a, input := cat(t)
	g := newGate(t, a.Path)
	a.Path = g.path
	started := make(chan int, 1)
	go func() {
		pid, pidfd, err := Start(a)
		if err != nil {
			t.Error(err)
		} else {
			syscall.Close(pidfd)
		}
		started <- pid
	}()
	if answer := g.hear(); answer != "held" {
		t.Fatal("nobody comes: ", answer)
	}
	return g, func() int {
		input.Close()
		return <-started
	}
}

func TestAnExecThatHangsHoldsUpNobody(t *testing.T) {
	g, pid := held(t)
	const (
		bound  = 50 * time.Millisecond
		window = 200 * time.Millisecond
	)
	// Others use the machine too; a held processor shows in every window.
	worst := bound + 1
	for end := time.Now().Add(hung - 2*window); worst > bound && time.Now().Before(end); {
		worst = longest(window)
	}
	if worst > bound {
		t.Errorf("an unrelated goroutine was held up for %v", worst)
	}
	g.open()
	if err := waitFor(pid()); err != nil {
		t.Error(err)
	}
}

// longest is the longest time for which a goroutine does not run that has
// something to do, while the garbage collector works.
func longest(window time.Duration) (d time.Duration) {
	collected := make(chan struct{})
	var stop atomic.Bool
	go func() {
		defer close(collected)
		for !stop.Load() {
			runtime.GC()
		}
	}()
	begin := time.Now()
	for last := begin; last.Sub(begin) < window; {
		time.Sleep(time.Millisecond)
		now := time.Now()
		d, last = max(d, now.Sub(last)), now
	}
	stop.Store(true)
	before := time.Now()
	<-collected
	return max(d, time.Since(before))
}

func TestAnExecThatHangsHoldsNoDescriptorOfOurs(t *testing.T) {
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	g, pid := held(t)
	write.Close()
	_ = read.SetReadDeadline(time.Now().Add(10 * time.Second))
	if n, err := read.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("got %d, %v", n, err)
	}
	g.open()
	if err := waitFor(pid()); err != nil {
		t.Error(err)
	}
}

func TestAThousandStartAtOnce(t *testing.T) {
	echo, err := exec.LookPath("echo")
	if err != nil {
		t.Skip("it needs the program echo: ", err)
	}
	before := openNow(t)
	var stop atomic.Bool
	collected := make(chan struct{})
	go func() {
		defer close(collected)
		for !stop.Load() {
			runtime.GC()
		}
	}()
	const workers, each = 40, 25
	var all sync.WaitGroup
	for worker := range workers {
		all.Go(func() {
			for i := range each {
				if err := says(echo, strconv.Itoa(worker*each+i)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	stop.Store(true)
	<-collected
	if after := openNow(t); after > before+8 { // and the passages
		t.Errorf("%d descriptors before and %d after", before, after)
	}
}

// says starts echo, with what grows the stack of whoever comes back.
func says(echo, text string) error {
	read, write, err := os.Pipe()
	if err != nil {
		return err
	}
	defer read.Close()
	pid, pidfd, err := Start(&Attr{
		Path: echo, Args: []string{"echo", text}, Files: []int{-1, int(write.Fd()), -1}, Session: true, Umask: pointer(0o22),
	})
	write.Close()
	if err != nil {
		return err
	}
	syscall.Close(pidfd)
	b, err := io.ReadAll(read)
	if err := waitFor(pid); err != nil {
		return err
	}
	if got := strings.TrimSpace(string(b)); got != text {
		return errors.New("it says " + got + " and not " + text)
	}
	return err
}
