//go:build linux

package process_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/child/process"
	"github.com/coppice-go/coppice/strategies"
	"github.com/coppice-go/coppice/supervisor"
)

// supervised starts a tree without delays or limits, unless spec has others.
func supervised(t *testing.T, spec supervisor.Spec) *supervisor.Supervisor {
	t.Helper()
	spec.Name = "root"
	if spec.Backoff == (strategies.Backoff{}) {
		spec.Backoff = strategies.Backoff{Min: strategies.None}
	}
	spec.Intensity = strategies.Intensity{Restarts: strategies.Unlimited}
	sup, err := supervisor.Options{Logger: slog.New(slog.DiscardHandler)}.Start(context.Background(), spec)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = sup.Stop(ctx)
	})
	return sup
}

// awaitEvent reads those of one kind until enough says that it is enough.
func awaitEvent(t *testing.T, sup *supervisor.Supervisor, kind supervisor.EventKind, enough func(supervisor.Event) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	for e := range sup.Events(ctx, 0) {
		if e.Kind == kind && enough(e) {
			return
		}
	}
	t.Error("it never happens: ", kind)
}

// stopped stops a tree in order.
func stopped(t *testing.T, sup *supervisor.Supervisor) {
	t.Helper()
	if err := sup.Stop(context.Background()); err != nil {
		t.Error(err)
	}
}

func sleeper() process.Command { return process.Command{Path: "sleep", Args: []string{"300"}} }

func TestASuccessorStartsAfterTheGroupIsGone(t *testing.T) {
	var out lines
	c := shell(t, `sleep 300 & (trap "" TERM; while :; do sleep 0.02; done) & echo $! $$; exit 1`, &out)
	c.Before = func(context.Context, *process.Handle) error {
		if left := living(numbersIn(out.String())); len(left) > 0 {
			return fmt.Errorf("of those before it these live: %v", left)
		}
		return nil
	}
	sup := supervised(t, supervisor.Spec{Children: []child.Specer{child.Spec{Name: "c", Run: c}}})
	runs := 0
	awaitEvent(t, sup, supervisor.ChildExited, func(e supervisor.Event) bool {
		if e.Exit.Kind != child.ExitCode {
			t.Errorf("run %d: %v", e.Incarnation, e.Exit)
		}
		runs++
		return runs == 5
	})
	stopped(t, sup)
	if left := living(numbersIn(out.String())); len(left) > 0 {
		t.Errorf("these outlive the stop: %v", left)
	}
}

// The last of an old group still held the port.
func TestASuccessorCanHaveThePortOfTheOneBefore(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var out lines
	c := process.Command{Path: self, Args: []string{"0"}, Env: []string{roleVariable + "=" + server, "GORACE=atexit_sleep_ms=0"}, Stdout: process.Output{Writer: &out}}
	if err := c.Serve(t.Context()); child.ExitOf(err).ExitStatus() != 3 {
		t.Fatal(err, out.String())
	}
	port := strings.TrimSpace(out.String())
	for range 5 {
		c.Args = []string{port}
		if err := c.Serve(t.Context()); child.ExitOf(err).ExitStatus() != 3 {
			t.Fatal(err, out.String())
		}
	}
}

// server is a program that listens, and ends with 3 while a child of its own
// still listens at the same port.
var server = addRole("server", func(args []string) {
	port, err := strconv.Atoi(args[0])
	orExit(err)
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0) // which children inherit
	orExit(err)
	orExit(syscall.Bind(fd, &syscall.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}))
	orExit(syscall.Listen(fd, 1))
	name, err := syscall.Getsockname(fd)
	orExit(err)
	sleep, err := exec.LookPath("sleep")
	orExit(err)
	_, err = syscall.ForkExec(sleep, []string{"sleep", "300"}, &syscall.ProcAttr{Files: []uintptr{uintptr(fd), 1, 2}})
	orExit(err)
	fmt.Println(name.(*syscall.SockaddrInet4).Port)
	os.Exit(3)
})

func TestAStopDuringTheDelayStartsNothing(t *testing.T) {
	var out lines
	spec := supervisor.Spec{
		Backoff:  strategies.Backoff{Min: 200 * time.Millisecond, Max: 200 * time.Millisecond},
		Children: []child.Specer{child.Spec{Name: "c", Run: shell(t, "echo run; exit 1", &out)}},
	}
	for name, stop := range map[string]func(*supervisor.Supervisor) error{
		"of the tree":  func(sup *supervisor.Supervisor) error { return sup.Stop(context.Background()) },
		"of the child": func(sup *supervisor.Supervisor) error { return sup.Ref().TerminateChild(context.Background(), "c") },
		"before it is forgotten": func(sup *supervisor.Supervisor) error {
			return errors.Join(sup.Ref().TerminateChild(context.Background(), "c"), sup.Ref().DeleteChild(context.Background(), "c"))
		},
		"before another takes its place": func(sup *supervisor.Supervisor) error {
			err := errors.Join(sup.Ref().TerminateChild(context.Background(), "c"), sup.Ref().DeleteChild(context.Background(), "c"))
			_, e := sup.Ref().StartChild(context.Background(), child.Spec{Name: "c", Run: sleeper()})
			return errors.Join(err, e)
		},
	} {
		t.Run(name, func(t *testing.T) {
			before := strings.Count(out.String(), "run")
			sup := supervised(t, spec)
			awaitEvent(t, sup, supervisor.ChildExited, func(supervisor.Event) bool { return true })
			if err := stop(sup); err != nil {
				t.Error(err)
			}
			time.Sleep(400 * time.Millisecond)
			if n := strings.Count(out.String(), "run") - before; n != 1 {
				t.Errorf("it ran %d times", n)
			}
			stopped(t, sup)
		})
	}
}

func TestStartsAndStopsFromEverywhereAreEachDoneOrRefused(t *testing.T) {
	var out lines
	sup := supervised(t, supervisor.Spec{Children: []child.Specer{
		child.Spec{Name: "c", Run: shell(t, `echo "start $$"; exec sleep 300`, &out)},
	}})
	ctx := context.Background()
	var all sync.WaitGroup
	var mu sync.Mutex // protects starts
	starts := uint64(1)
	for range 2 {
		all.Go(func() {
			for range 40 {
				if err := sup.Ref().RestartChild(ctx, "c"); err == nil {
					mu.Lock()
					starts++
					mu.Unlock()
				} else if !errors.Is(err, supervisor.ErrRunning) && !errors.Is(err, supervisor.ErrInterrupted) {
					t.Error(err)
				}
			}
		})
		all.Go(func() {
			for range 40 {
				if err := sup.Ref().TerminateChild(ctx, "c"); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if left := living(numbersIn(out.String())); len(left) > 1 {
		t.Errorf("at once run %v", left)
	}
	status, err := sup.Find("root/c").Status()
	if err != nil {
		t.Error(err)
	}
	stopped(t, sup)
	if got := uint64(len(numbersIn(out.String()))); got > status.Incarnation || starts > status.Incarnation {
		t.Errorf("%d programs said that they were started, %d starts were told, of %d", got, starts, status.Incarnation)
	}
	if left := living(numbersIn(out.String())); len(left) > 0 {
		t.Errorf("these outlive the stop: %v", left)
	}
	t.Logf("%d starts", starts)
}

func TestTwentyStopsAtOnceGetTheSameAnswer(t *testing.T) {
	var out lines
	sup := supervised(t, supervisor.Spec{Children: []child.Specer{
		child.Spec{Name: "c", Run: shell(t, `trap 'echo told; sleep 0.1; exit 0' TERM; echo on; while :; do sleep 0.01; done`, &out)},
	}})
	await(t, &out, "on")
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			var err error
			if i%2 == 0 {
				err = sup.Stop(context.Background())
			} else if err = sup.Ref().TerminateChild(context.Background(), "c"); errors.Is(err, supervisor.ErrStopped) {
				err = nil
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	within(t, 20*time.Second, "the stop", all.Wait)
	if n := strings.Count(out.String(), "told"); n != 1 {
		t.Errorf("it was told %d times", n)
	}
}

func TestAProgramThatSucceedsAtOnceHasSucceeded(t *testing.T) {
	needTools(t, "true")
	sup := supervised(t, supervisor.Spec{Children: []child.Specer{
		child.Spec{Name: "c", Run: process.Command{Path: "true"}, Restart: child.Transient},
	}})
	awaitEvent(t, sup, supervisor.ChildExited, func(e supervisor.Event) bool {
		if e.Exit.Kind != child.Normal || e.Next != supervisor.Stays {
			t.Errorf("got %v", e)
		}
		return true
	})
	stopped(t, sup)
}

func TestDependentsAreStoppedAndStartedInOrder(t *testing.T) {
	needTools(t, "sleep")
	var out lines
	member := func(name string) child.Spec {
		c := shell(t, `trap 'echo "-$1"; exit 0' TERM; echo "+$1"; echo "$1 $$" >>"$2"; while :; do sleep 0.01; done`, &out)
		c.Args = append(c.Args, "sh", name, filepath.Join(t.TempDir(), "pids"))
		return child.Spec{Name: name, Run: c}
	}
	sup := supervised(t, supervisor.Spec{Strategy: strategies.RestForOne, Children: []child.Specer{member("a"), member("b"), member("c")}})
	for _, name := range []string{"+a", "+b", "+c"} {
		await(t, &out, name)
	}
	h, err := supervisor.Get[*process.Handle](t.Context(), sup.Find("root/b"))
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Signal(process.Group, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	comesTrue(t, "both are back", func() bool { return strings.Count(out.String(), "+c") == 2 })
	stopped(t, sup)
	order := strings.Fields(out.String())
	place := func(word string, which int) int {
		for i, w := range order {
			if w == word {
				if which--; which == 0 {
					return i
				}
			}
		}
		return -1
	}
	at := []int{place("-c", 1), place("+b", 2), place("-c", 2), place("-b", 1), place("-a", 1)}
	if !slices.IsSorted(at) || at[0] < 0 || place("+a", 2) >= 0 || place("+c", 2) < at[0] {
		t.Errorf("the order is %v", order)
	}
}

func TestStubbornProgramsEndWithinTheBudgetOfTheStop(t *testing.T) {
	var out lines
	for _, together := range []bool{true, false} {
		spec := supervisor.Spec{StopTogether: together, Shutdown: time.Second}
		for i := range 10 {
			spec.Children = append(spec.Children, child.Spec{Name: fmt.Sprint("c", i), Run: shell(t, stubborn+" # $$", &out), Shutdown: 10 * time.Minute})
		}
		sup := supervised(t, spec)
		before := len(offspring(t))
		began := time.Now()
		within(t, 20*time.Second, "the stop", func() { _ = sup.Stop(context.Background()) })
		if took := time.Since(began); took < 900*time.Millisecond {
			t.Errorf("together %t: the stop took %v", together, took)
		}
		if after := len(offspring(t)); after > max(before-10, 0) {
			t.Errorf("together %t: %d are left", together, after)
		}
	}
}

// As somebody does who presses ^C again.
func TestASecondStopThatIsMoreUrgentCounts(t *testing.T) {
	var out lines
	sup := supervised(t, supervisor.Spec{Shutdown: child.Infinity, Children: []child.Specer{
		child.Spec{Name: "c", Run: shell(t, stubborn, &out), Shutdown: child.Infinity},
	}})
	await(t, &out, "on")
	first := make(chan error)
	go func() { first <- sup.Stop(context.Background()) }()
	awaitEvent(t, sup, supervisor.ChildStopping, func(supervisor.Event) bool { return true })
	within(t, 20*time.Second, "the stops", func() {
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		defer cancel()
		_ = sup.Stop(ctx)
		if err := <-first; err != nil {
			t.Error(err)
		}
	})
}

// A process in a frozen group takes no signal, not even that which kills.
func TestAnUnkillableProcessHasNoTwinAndHoldsUpNobody(t *testing.T) {
	needTools(t, "sleep")
	group, err := os.MkdirTemp("/sys/fs/cgroup/freezer", "process-test-") //nolint:usetesting // a group lies where groups lie
	if err != nil {
		t.Skip("it needs a freezer: ", err)
	}
	t.Cleanup(func() { _ = os.Remove(group) })
	set := func(name, value string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(group, name), []byte(value), 0); err != nil {
			t.Error(err)
		}
	}
	sup := supervised(t, supervisor.Spec{Children: []child.Specer{
		child.Spec{Name: "other", Run: sleeper()}, child.Spec{Name: "frozen", Run: sleeper(), Shutdown: 50 * time.Millisecond},
	}})
	ctx := context.Background()
	h, err := supervisor.Get[*process.Handle](ctx, sup.Find("root/frozen"))
	if err != nil {
		t.Fatal(err)
	}
	set("cgroup.procs", strconv.Itoa(h.PID()))
	set("freezer.state", "FROZEN")
	t.Cleanup(func() { set("freezer.state", "THAWED") })
	comesTrue(t, "it is frozen", func() bool { return stateOf(t, h.PID()) == "D" })

	bounced := make(chan error, 1)
	go func() { bounced <- sup.Find("root/frozen").Bounce(ctx) }()
	awaitEvent(t, sup, supervisor.ChildStuck, func(e supervisor.Event) bool { return e.Path == "root/frozen" })
	if status, err := sup.Find("root/frozen").Status(); err != nil || status.State != supervisor.Stuck || status.Incarnation != 1 {
		t.Errorf("got %+v, %v", status, err)
	}
	within(t, 10*time.Second, "a bounce of the other", func() {
		if err := sup.Find("root/other").Bounce(ctx); err != nil {
			t.Error(err)
		}
	})
	limited, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
	defer cancel()
	var left *supervisor.StopError
	within(t, 10*time.Second, "the stop", func() {
		if err := sup.Stop(limited); !errors.As(err, &left) || len(left.Blocked) != 1 || left.Blocked[0].Path != "root/frozen" {
			t.Errorf("got %v", err)
		}
	})
	set("freezer.state", "THAWED")
	comesTrue(t, "it ends", func() bool { return !h.Alive() })
	<-bounced
}

// Three restarts are allowed, and those attempts for which there is no room
// are none.
func TestAShortageIsNotCountedAsRestarts(t *testing.T) {
	const short = 18
	attempts := 0
	c := shell(t, "exit 1", new(lines))
	c.Before = func(context.Context, *process.Handle) error {
		if attempts++; attempts > 1 && attempts <= 1+short {
			return syscall.EAGAIN
		}
		return nil
	}
	err := supervisor.Options{Logger: slog.New(slog.DiscardHandler)}.Run(context.Background(), supervisor.Spec{
		Name: "root", Backoff: strategies.Backoff{Min: time.Millisecond, Max: time.Millisecond},
		Intensity: strategies.Intensity{Restarts: 3, Period: time.Hour}, Children: []child.Specer{child.Spec{Name: "c", Run: c}},
	})
	var exit *supervisor.ExitError
	if !errors.As(err, &exit) || exit.Cause != supervisor.GaveUp || attempts != 1+short+3 {
		t.Errorf("%d attempts, and then %v", attempts, err)
	}
}
