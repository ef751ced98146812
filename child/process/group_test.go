//go:build linux

package process_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/child/process"
)

// numbersIn are the lines that are numbers.
func numbersIn(text string) (all []int) {
	for field := range strings.FieldsSeq(text) {
		if n, err := strconv.Atoi(field); err == nil {
			all = append(all, n)
		}
	}
	return all
}

func TestWhatRemainsOfTheGroupIsKilledWithItsLeader(t *testing.T) {
	needTools(t, "sleep")
	const brood = `sleep 300 & echo $!; (trap "" TERM INT HUP; while :; do sleep 0.01; done) & echo $!; sh -c 'sleep 300 & echo $!; wait' & echo $!; `
	for name, end := range map[string]string{
		"ended well": "sleep 0.1; exit 0", "failed": "sleep 0.1; exit 3", "was killed": "sleep 0.1; kill -KILL $$",
	} {
		t.Run("a leader that "+name, func(t *testing.T) {
			var out lines
			_ = shell(t, brood+end, &out).Serve(t.Context())
			pids := numbersIn(out.String())
			if left := living(pids); len(pids) != 4 || len(left) > 0 {
				t.Errorf("of %v these live: %v", pids, left)
			}
		})
	}
	t.Run("a leader that was stopped", func(t *testing.T) {
		var out lines
		r := serving(t, shell(t, brood+"echo on; wait", &out))
		await(t, &out, "on")
		comesTrue(t, "all are there", func() bool { return len(numbersIn(out.String())) == 4 })
		if err := r.ended(); err != nil {
			t.Error(err)
		}
		if left := living(numbersIn(out.String())); len(left) > 0 {
			t.Errorf("these live: %v", left)
		}
	})
}

func TestWhatRemainsIsAskedWhereItIsToBeAsked(t *testing.T) {
	var out lines
	c := shell(t, `(trap 'echo asked; exit' TERM; echo on; while :; do sleep 0.01; done) & while [ ! -e "$1" ]; do sleep 0.01; done`, &out)
	c.Leftovers = process.StopThem
	go1 := t.TempDir() + "/go"
	c.Args = append(c.Args, "sh", go1)
	r := serving(t, c)
	await(t, &out, "on")
	if err := os.WriteFile(go1, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := r.end(); err != nil || !strings.Contains(out.String(), "asked") {
		t.Errorf("got %v and %q", err, out.String())
	}
}

// A lazy program has adopted those whose parents are gone, and does not wait
// for them: killed, they stay in the group as zombies.
func TestZombiesOfAnotherDoNotHoldUpTheEnd(t *testing.T) {
	t.Run("of a program that adopts", func(t *testing.T) {
		if got := play(t, nil, lazy); got != "in time" {
			t.Errorf("got %s", got)
		}
	})
	t.Run("of the first program of all", func(t *testing.T) {
		if got := play(t, alone(t), lazy); got != "in time" {
			t.Errorf("got %s", got)
		}
	})
}

// alone are the words by which a program is the first in a world of its own.
func alone(t *testing.T) []string {
	t.Helper()
	needTools(t, "unshare")
	var why string
	for _, who := range []string{"-pf", "-Urpf"} {
		words := []string{"unshare", who, "--mount-proc"}
		out, err := exec.Command(words[0], append(words[1:], "true")...).CombinedOutput()
		if err == nil {
			return words
		}
		why = string(out)
	}
	t.Skip("it needs a process namespace: ", why)
	return nil
}

var lazy = addRole("lazy", func([]string) {
	orExit(unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
	began := time.Now()
	var out lines
	for range 5 {
		c := process.Command{Path: "sh", Args: []string{"-c", "sh -c 'sleep 300 & echo $!; wait' & sleep 0.05; exit 3"}, Stdout: process.Output{Writer: &out}}
		if got := child.ExitOf(c.Serve(context.Background())).ExitStatus(); got != 3 {
			fmt.Println("got", got)
			os.Exit(1)
		}
	}
	pids := numbersIn(out.String())
	zombies := 0
	for _, pid := range pids {
		if syscall.Kill(pid, 0) == nil {
			zombies++
		}
	}
	switch took := time.Since(began); {
	case len(living(pids)) > 0:
		fmt.Println("these live:", living(pids))
	case zombies != 5:
		fmt.Println("it is not as it was to be:", zombies, "of", pids)
	case took > 9*time.Second: // each waits for two seconds at most
		fmt.Println("it took", took)
	default:
		fmt.Println("in time")
	}
})

// The kernel gives a number again when nobody has it. Here it does so at once.
func TestASignalNeverHitsWhoGotTheNumber(t *testing.T) {
	switch got := play(t, alone(t), recycler); got {
	case "not hit":
	case "not given":
		t.Skip("this machine lets nobody choose a number")
	default:
		t.Errorf("got %s", got)
	}
}

// recycler is a program that keeps the handle of a process whose number, and
// that of its group, has become a stranger's.
var recycler = addRole("recycler", func([]string) {
	ctx := &running{killed: make(chan struct{}), offered: make(chan *process.Handle, 1), log: new(lines)}
	c := process.Command{Path: "sh", Args: []string{"-c", "sleep 300 & exit 0"}}
	orExit(c.Serve(context.WithValue(context.Background(), child.RuntimeKey{}, ctx)))
	h := <-ctx.offered
	for { // a zombie of its group, which we have adopted, keeps the number
		if pid, err := syscall.Wait4(-h.PID(), nil, 0, nil); pid <= 0 && !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	for range 100 {
		if os.WriteFile("/proc/sys/kernel/ns_last_pid", []byte(strconv.Itoa(h.PID()-1)), 0) != nil {
			break
		}
		stranger := exec.Command("sleep", "300")
		stranger.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		orExit(stranger.Start())
		if stranger.Process.Pid != h.PID() {
			_ = stranger.Process.Kill()
			_ = stranger.Wait()
			continue
		}
		for _, to := range []process.Scope{process.Group, process.Leader, process.Tree, process.Cgroup} {
			if err := h.Signal(to, syscall.SIGKILL); !errors.Is(err, process.ErrEnded) {
				fmt.Println("to", to, "got", err)
			}
		}
		for _, err := range []error{h.Terminate(), h.Reload(context.Background())} {
			if !errors.Is(err, process.ErrEnded) {
				fmt.Println("got", err)
			}
		}
		time.Sleep(50 * time.Millisecond)
		if len(living([]int{stranger.Process.Pid})) == 1 {
			fmt.Println("not hit")
		}
		_ = stranger.Process.Kill()
		_ = stranger.Wait()
		return
	}
	fmt.Println("not given")
})

// The state of a process whose first thread has ended is that of a zombie.
func TestAProcessWhoseFirstThreadHasEndedIsAlive(t *testing.T) {
	var out lines
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	r := serving(t, process.Command{Path: self, Env: []string{roleVariable + "=" + headless, "GORACE=atexit_sleep_ms=0"}, Stdout: process.Output{Writer: &out}})
	comesTrue(t, "its state is that of a zombie", func() bool { return len(living([]int{r.PID()})) == 0 })
	time.Sleep(50 * time.Millisecond)
	if !r.Alive() {
		t.Error("it was taken for dead")
	}
	if err := r.Signal(process.Leader, syscall.SIGUSR1); err != nil {
		t.Error(err)
	}
	if got := child.ExitOf(r.end()).ExitStatus(); got != 9 || out.String() != "on\n" {
		t.Errorf("got %v and %q", r.outcome, out.String())
	}
}

func init() {
	if os.Getenv(roleVariable) == "headless" {
		runtime.LockOSThread() // main is the first thread
	}
}

var headless = addRole("headless", func([]string) {
	heard := notified(syscall.SIGUSR1)
	go func() {
		fmt.Println("on")
		<-heard
		os.Exit(9)
	}()
	time.Sleep(10 * time.Millisecond)
	_, _, _ = syscall.Syscall(syscall.SYS_EXIT, 0, 0, 0) // of this thread
})

func TestARunningProcessTakesNoThread(t *testing.T) {
	needTools(t, "sleep")
	got := play(t, nil, herd)
	if n := numbersIn(got); len(n) != 2 || n[1]-n[0] > 20 {
		t.Errorf("threads before and with 200 processes: %s", got)
	}
}

// herd is a program with many processes.
var herd = addRole("herd", func([]string) {
	sleeper := process.Command{Path: "sleep", Args: []string{"300"}}
	ctx, stop := context.WithCancel(context.Background())
	orExit(process.Command{Path: "true"}.Serve(ctx))
	before := threadCount()
	const many = 200
	var all sync.WaitGroup
	runs := make([]*running, many)
	for i := range runs {
		runs[i] = &running{killed: make(chan struct{}), offered: make(chan *process.Handle, 1), log: new(lines)}
		all.Go(func() { orExit(sleeper.Serve(context.WithValue(ctx, child.RuntimeKey{}, runs[i]))) })
	}
	for _, r := range runs {
		<-r.offered
	}
	fmt.Println(before, threadCount())
	stop()
	all.Wait()
})

func threadCount() int {
	all, err := os.ReadDir("/proc/self/task")
	orExit(err)
	return len(all)
}

func TestManyShortProgramsAllTellTheirEnd(t *testing.T) {
	const many = 500
	var all sync.WaitGroup
	var mu sync.Mutex // protects codes
	codes := map[int]int{}
	for i := range many {
		all.Go(func() {
			err := process.Command{Path: "sh", Args: []string{"-c", "exit " + strconv.Itoa(i%5)}}.Serve(t.Context())
			mu.Lock()
			defer mu.Unlock()
			codes[child.ExitOf(err).ExitStatus()]++
		})
	}
	all.Wait()
	for code := range 5 {
		if codes[code] != many/5 {
			t.Errorf("code %d came %d times: %v", code, codes[code], codes)
		}
	}
}

// The kernel's parent-death signal means the thread that forked.
func TestAThreadThatEndsTakesNoProcessWithIt(t *testing.T) {
	for name, orphan := range map[string]process.Orphan{"that may live on": process.LiveOn, "that may not": process.DieToo} {
		t.Run("a process "+name, func(t *testing.T) {
			needTools(t, "sleep")
			c := process.Command{Path: "sleep", Args: []string{"300"}, Detach: true, Orphan: orphan}
			c.Stdout.To, c.Stderr.To = process.Discard, process.Discard
			r := &running{t: t, killed: make(chan struct{}), offered: make(chan *process.Handle, 1), log: new(lines), done: make(chan struct{})}
			ctx, stop := context.WithCancel(context.WithValue(context.Background(), child.RuntimeKey{}, r))
			thread := 0
			go func() {
				defer close(r.done)
				runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
				thread = unix.Gettid()
				r.outcome = c.Serve(ctx)
			}()
			h := <-r.offered
			t.Cleanup(func() {
				_ = syscall.Kill(h.PID(), syscall.SIGKILL)
				_, _ = syscall.Wait4(h.PID(), nil, 0, nil)
			})
			stop()
			if err := r.end(); err != nil {
				t.Fatal(err)
			}
			if thread != os.Getpid() { // the first thread never ends
				comesTrue(t, "the thread ends", func() bool {
					_, err := os.Stat("/proc/self/task/" + strconv.Itoa(thread))
					return err != nil
				})
			}
			time.Sleep(50 * time.Millisecond)
			if len(living([]int{h.PID()})) == 0 {
				t.Error("it ended with the thread")
			}
		})
	}
}
