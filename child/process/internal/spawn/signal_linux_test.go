//go:build linux && (amd64 || arm64) && !coppice_forkexec

package spawn

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// role says what part the test binary plays when a test runs it.
const role = "COPPICE_SPAWN_ROLE"

func TestMain(m *testing.M) {
	switch os.Getenv(role) {
	case "":
		os.Exit(m.Run())
	case "parent":
		playParent()
	case "limited":
		playLimited()
	case "gate":
		playGate()
	}
}

// sleeper is a program that waits for a minute.
func sleeper() *Attr {
	path, err := exec.LookPath("sleep")
	if err != nil {
		panic(err)
	}
	return &Attr{Path: path, Args: []string{"sleep", "60"}, Files: []int{0, 1, 2}}
}

// playParent starts a process from a thread that ends, prints its number and
// the signals that await it, which it has been stopped for, and waits to be
// killed.
func playParent() {
	runtime.LockOSThread() // the first thread, which cannot end
	thread := make(chan int)
	go func() {
		runtime.LockOSThread()
		a := sleeper()
		a.Files = []int{-1, -1, 2}
		a.ParentDeath = int(syscall.SIGTERM)
		pid, _, err := Start(a)
		if err != nil {
			panic(err)
		}
		_ = syscall.Kill(pid, syscall.SIGSTOP)
		if _, err := unix.Wait4(pid, nil, unix.WUNTRACED, nil); err != nil {
			panic(err)
		}
		thread <- unix.Gettid()
		thread <- pid
	}()
	tid, pid := <-thread, <-thread
	for exists("/proc/self/task/" + strconv.Itoa(tid)) {
		runtime.Gosched()
	}
	status, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	_, pending, _ := strings.Cut(string(status), "ShdPnd:")
	_ = syscall.Kill(pid, syscall.SIGCONT)
	fmt.Println(pid, strings.Fields(pending)[0])
	time.Sleep(time.Minute)
}

// playLimited prints the limits of a process that it starts.
func playLimited() {
	a := sleeper()
	pid, _, err := Start(a)
	if err != nil {
		panic(err)
	}
	b, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/limits")
	_ = syscall.Kill(pid, syscall.SIGKILL)
	os.Stdout.Write(b)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func TestTheChildDiesWithUsAndNotWithAThread(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	parent := exec.Command(self)
	parent.Env = append(os.Environ(), role+"=parent")
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	pid, pending, _ := strings.Cut(strings.TrimSpace(line), " ")
	dir := "/proc/" + pid
	if strings.Trim(pending, "0") != "" {
		t.Errorf("it was sent %s when the thread ended that started it", pending)
	}
	_ = parent.Process.Kill()
	_ = parent.Wait()
	for end := time.Now().Add(10 * time.Second); alive(dir); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it lives on")
		}
	}
}

func alive(dir string) bool {
	b, err := os.ReadFile(filepath.Join(dir, "stat"))
	return err == nil && !strings.Contains(string(b), ") Z ")
}

func TestTheChildHasTheLimitOfOpenFilesThatWeWereStartedWith(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	limited := exec.Command("sh", "-c", `ulimit -Sn 345 && exec "$0"`, self)
	limited.Env = append(os.Environ(), role+"=limited")
	out, err := limited.Output()
	if err != nil {
		t.Skip("it needs a POSIX shell: ", err)
	}
	for line := range strings.Lines(string(out)) {
		if rest, ok := strings.CutPrefix(line, "Max open files"); ok {
			if soft := strings.Fields(rest)[0]; soft != "345" {
				t.Errorf("got %s", soft)
			}
			return
		}
	}
	t.Errorf("got %q", out)
}

// signals are the lines about signals that tell of a process or thread.
func signals(t *testing.T, status string) (lines []string) {
	t.Helper()
	b, err := os.ReadFile(status)
	if err != nil {
		t.Skip("it needs /proc: ", err)
	}
	for line := range strings.Lines(string(b)) {
		if strings.HasPrefix(line, "SigBlk") || strings.HasPrefix(line, "SigIgn") || strings.HasPrefix(line, "SigCgt") {
			lines = append(lines, strings.Fields(line)[1])
		}
	}
	return lines
}

// odd makes signals unlike those that a program begins with: one is caught, one
// ignored, and one blocked in this thread.
func odd(t *testing.T) (caught chan os.Signal) {
	t.Helper()
	caught = make(chan os.Signal, 1)
	signal.Notify(caught, syscall.SIGUSR2)
	signal.Ignore(syscall.SIGUSR1, syscall.SIGHUP)
	runtime.LockOSThread()
	var before unix.Sigset_t
	blocked := unix.Sigset_t{Val: [16]uint64{1 << (syscall.SIGWINCH - 1)}}
	if err := unix.PthreadSigmask(unix.SIG_BLOCK, &blocked, &before); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = unix.PthreadSigmask(unix.SIG_SETMASK, &before, nil)
		runtime.UnlockOSThread()
		signal.Stop(caught)
		signal.Reset(syscall.SIGUSR1, syscall.SIGHUP)
	})
	return caught
}

func TestTheChildHasEverySignalByDefaultAndNoneBlocked(t *testing.T) {
	odd(t)
	w := begin(t, func(*Attr) {})
	for i, set := range signals(t, "/proc/"+strconv.Itoa(w.pid)+"/status") {
		if strings.Trim(set, "0") != "" {
			t.Errorf("the sets of blocked, ignored and caught signals: the one at %d is %s", i, set)
		}
	}
}

func TestTheSignalsOfTheProgramStayAsTheyAre(t *testing.T) {
	caught := odd(t)
	thread := "/proc/self/task/" + strconv.Itoa(unix.Gettid()) + "/status"
	before := signals(t, thread)
	if strings.Trim(before[0], "0") == "" {
		t.Fatal("nothing is blocked")
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() { // the ignored would kill us; the caught has to arrive
		defer close(stopped)
		for {
			_ = syscall.Kill(os.Getpid(), syscall.SIGUSR1)
			_ = syscall.Kill(os.Getpid(), syscall.SIGUSR2)
			select {
			case <-caught:
			case <-time.After(10 * time.Second):
				t.Error("a signal was lost")
				return
			}
			select {
			case <-stop:
				return
			default:
			}
		}
	}()
	for range 100 {
		a, _ := cat(t)
		a.Files[0] = a.Files[1]
		pid, pidfd, err := Start(a)
		if err != nil {
			t.Fatal(err)
		}
		syscall.Close(pidfd)
		if err := waitFor(pid); err != nil {
			t.Fatal(err)
		}
	}
	close(stop)
	<-stopped
	if after := signals(t, thread); strings.Join(after, " ") != strings.Join(before, " ") {
		t.Errorf("blocked, ignored, caught: %q before and %q after", before, after)
	}
}
