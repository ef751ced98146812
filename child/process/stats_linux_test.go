package process_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/child/process"
)

const megabyte = 1 << 20

// init plays the process that is measured, in a copy of the test.
func init() {
	play, ok := map[string]func(){
		"burn": burn, "burst": func() { burnFor(200 * time.Millisecond); fmt.Println("burnt", os.Getpid()); time.Sleep(time.Hour) },
		"brief": func() { burnFor(200 * time.Millisecond) },
		"eat":   eat, "parent": func() { parent("eat") },
		"careless": func() { signal.Ignore(syscall.SIGCHLD); parent("burst"); time.Sleep(time.Hour) },
	}[os.Getenv("COPPICE_STATS")]
	if ok {
		play()
		os.Exit(0)
	}
}

func used() time.Duration {
	var r syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// burnFor uses a processor until it has used so much.
func burnFor(d time.Duration) {
	for used() < d {
	}
}

// burn uses a processor all the time, and answers each line with what it has
// used.
func burn() {
	go func() {
		for {
			used()
		}
	}()
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		fmt.Println(int64(used()))
	}
	time.Sleep(time.Hour)
}

// eat fills 100 MB, and ends when it is told to abort.
func eat() {
	aborted := make(chan os.Signal, 1)
	signal.Notify(aborted, syscall.SIGUSR1)
	go func() {
		full := make([]byte, 100*megabyte)
		for i := range full {
			full[i] = 1
		}
		fmt.Println("full")
		<-time.After(time.Hour)
		runtime.KeepAlive(full)
	}()
	<-aborted
	fmt.Println("aborted")
}

// parent has a child that has left the group.
func parent(role string) {
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), "COPPICE_STATS="+role)
	c.Stdout, c.SysProcAttr = os.Stdout, &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
	runtime.LockOSThread() // its end would be that of the child
	_ = c.Run()
}

// measured is the run of a command whose handle the test has.
type measured struct {
	*process.Handle
	handles chan *process.Handle
	exit    chan error
	cancel  func()
}

func (m *measured) Ready()                  {}
func (m *measured) Killed() <-chan struct{} { return nil }
func (m *measured) Path() string            { return "shop/measured" }
func (m *measured) Incarnation() uint64     { return 1 }
func (m *measured) Logger() *slog.Logger    { return slog.New(slog.DiscardHandler) }
func (m *measured) Redact(s string) string  { return s }

func (m *measured) Publish(v any) {
	if h, ok := v.(*process.Handle); ok {
		m.handles <- h
	}
}

// measure runs c until the test ends.
func measure(t *testing.T, c process.Command) *measured {
	t.Helper()
	m := &measured{handles: make(chan *process.Handle, 1), exit: make(chan error, 1)}
	ctx, cancel := context.WithCancel(context.WithValue(context.Background(), child.RuntimeKey{}, child.Runtime(m)))
	m.cancel = cancel
	go func() { m.exit <- c.Serve(ctx) }()
	select {
	case m.Handle = <-m.handles:
	case err := <-m.exit:
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		m.Join(10 * time.Second)
	})
	return m
}

// role is a copy of the test that plays a process.
func role(name string, out *lines) process.Command {
	return process.Command{
		Path: os.Args[0], Env: []string{"COPPICE_STATS=" + name},
		Stdout: process.Output{Writer: out}, Stderr: process.Output{Writer: out},
	}
}

func stats(t *testing.T, h *process.Handle) process.Stats {
	t.Helper()
	s, err := h.Stats()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// eventually waits for what a real process, or a goroutine, does soon.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

func TestASampleCountsTheProcessAndItsWholeTree(t *testing.T) {
	t.Run("a child that has left the group", func(t *testing.T) {
		var out lines
		m := measure(t, role("parent", &out))
		await(t, &out, "full")
		s := stats(t, m.Handle)
		if s.Processes != 2 {
			t.Errorf("got %d processes, want 2", s.Processes)
		}
		if s.Tree.Memory < s.Process.Memory+100*megabyte || s.Tree.Memory > s.Process.Memory+1000*megabyte {
			t.Errorf("got %d bytes of %d in the process, want 100 MB more", s.Tree.Memory, s.Process.Memory)
		}
		if s.Process.Memory < megabyte || s.Process.Threads < 2 || s.Tree.Threads < s.Process.Threads+2 {
			t.Errorf("got %+v", s)
		}
		if s.Process.Descriptors < 3 || s.Tree.Descriptors < s.Process.Descriptors+3 {
			t.Errorf("got %d descriptors, %d in the process", s.Tree.Descriptors, s.Process.Descriptors)
		}
		if age := time.Since(s.Time); age < 0 || age > 10*time.Second {
			t.Errorf("it was taken %v ago", age)
		}
	})
	t.Run("a member of the group that has lost its parent", func(t *testing.T) {
		var out lines
		m := measure(t, shell(t, `(sleep 60 &); sleep 60 & echo ready; wait`, &out))
		await(t, &out, "ready")
		eventually(t, "3 processes", func() bool { return stats(t, m.Handle).Processes == 3 })
	})
	t.Run("a process whose image was replaced", func(t *testing.T) {
		var out lines
		m := measure(t, shell(t, `echo ready; exec 7</dev/null sleep 60`, &out))
		await(t, &out, "ready")
		eventually(t, "it is the only process", func() bool { return stats(t, m.Handle).Processes == 1 })
		eventually(t, "its descriptors are those in /proc", func() bool {
			names, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", m.PID()))
			if err != nil {
				t.Fatal(err)
			}
			s := stats(t, m.Handle)
			return s.Process.Descriptors == len(names) && s.Tree.Descriptors == len(names)
		})
	})
}

// ask asks the process that burns what it has used.
func ask(t *testing.T, m *measured, out *lines, n int) time.Duration {
	t.Helper()
	if _, err := m.Write([]byte("\n")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it answers", func() bool { return strings.Count(out.String(), "\n") >= n })
	ns, err := strconv.ParseInt(strings.Fields(out.String())[n-1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return time.Duration(ns)
}

func TestTheShareOfAProcessorIsThatSinceTheSampleBefore(t *testing.T) {
	var out lines
	c := role("burn", &out)
	c.Stdin = process.Input{From: process.Piped}
	m := measure(t, c)
	const ticks = 40 * time.Millisecond // times are told in hundredths, user and system apart
	time.Sleep(process.MinInterval)     // the first sample counts as one
	before := ask(t, m, &out, 1)
	first := stats(t, m.Handle)
	begun := ask(t, m, &out, 2)
	time.Sleep(300 * time.Millisecond)
	ended := ask(t, m, &out, 3)
	second := stats(t, m.Handle)
	after := ask(t, m, &out, 4)

	least, most := ended-begun-ticks, after-before+ticks
	for what, use := range map[string][2]process.Use{"process": {first.Process, second.Process}, "tree": {first.Tree, second.Tree}} {
		if first := use[0].CPU; first < before-ticks || first > begun+ticks {
			t.Errorf("%s: got %v, it says %v to %v", what, first, before, begun)
		}
		got := use[1].CPU - use[0].CPU
		if got < least || got > most {
			t.Errorf("%s: got %v, it says %v to %v", what, got, least, most)
		}
		if share := float64(got) / float64(second.Time.Sub(first.Time)); use[1].Share < share*0.99 || use[1].Share > share*1.01 {
			t.Errorf("%s: got a share of %v, want %v", what, use[1].Share, share)
		}
	}
	if again := stats(t, m.Handle); again.Time.Sub(second.Time) < process.MinInterval/2 && again.Tree.Share != second.Tree.Share {
		t.Errorf("got a share of %v at once after %v", again.Tree.Share, second.Tree.Share)
	}
}

func TestTheProcessorTimeOfATreeNeverGoesDown(t *testing.T) {
	t.Run("a child that was waited for", func(t *testing.T) {
		var out lines
		c := shell(t, `COPPICE_STATS=brief "$1"; echo burnt; sleep 60`, &out)
		c.Args = append(c.Args, "sh", os.Args[0])
		m := measure(t, c)
		await(t, &out, "burnt")
		if s := stats(t, m.Handle); s.Tree.CPU < 150*time.Millisecond || s.Process.CPU > 100*time.Millisecond {
			t.Errorf("got %v in the tree, %v in the process", s.Tree.CPU, s.Process.CPU)
		}
	})
	t.Run("a child that nobody waited for", func(t *testing.T) {
		var out lines
		m := measure(t, role("careless", &out))
		await(t, &out, "burnt")
		before := stats(t, m.Handle)
		pid, err := strconv.Atoi(strings.Fields(out.String())[1])
		if err != nil {
			t.Fatal(err)
		}
		_ = syscall.Kill(pid, syscall.SIGKILL)
		eventually(t, "it is gone", func() bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) })
		if after := stats(t, m.Handle); after.Tree.CPU < before.Tree.CPU || after.Tree.CPU < 150*time.Millisecond {
			t.Errorf("got %v, then %v", before.Tree.CPU, after.Tree.CPU)
		}
	})
}

func TestAfterTheEndThereAreNoStatistics(t *testing.T) {
	var out lines
	m := measure(t, shell(t, "exit 0", &out))
	m.Join(0)
	if s, err := m.Stats(); !errors.Is(err, process.ErrEnded) {
		t.Errorf("got %+v, %v", s, err)
	}
	for s := range m.Watch(t.Context(), time.Second) {
		t.Errorf("got %+v", s)
	}
	if all, err := process.Sample(); all[m.Handle] != (process.Stats{}) || err != nil {
		t.Errorf("got %v, %v", all, err)
	}
}

func TestAWatchEndsWithTheProcessOrItsContext(t *testing.T) {
	var out lines
	m := measure(t, shell(t, "sleep 60", &out))
	for range m.Watch(t.Context(), time.Hour) {
		m.cancel()
	}
	m = measure(t, shell(t, "sleep 60", &out))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for range m.Watch(ctx, time.Hour) {
		cancel()
	}
	for s := range m.Watch(ctx, time.Hour) {
		t.Errorf("got %+v", s)
	}
	if !m.Alive() {
		t.Error("it has ended")
	}
}

func TestAListenerThatDoesNotReadDoesNoHarm(t *testing.T) {
	var out lines
	m := measure(t, shell(t, "sleep 60", &out))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	stuck, goOn, next := make(chan struct{}), make(chan struct{}), make(chan process.Stats, 1)
	go func() {
		defer close(next)
		n := 0
		for s := range m.Watch(ctx, process.MinInterval) {
			switch n++; n {
			case 2: // the first is taken for it alone
				close(stuck)
				<-goOn
			case 3:
				next <- s
				return
			}
		}
	}()
	<-stuck
	n, newest := 0, time.Time{}
	for s := range m.Watch(ctx, process.MinInterval) {
		if n++; n == 5 {
			newest = s.Time
			break
		}
	}
	if n < 5 {
		t.Error("the other one gets no samples")
	}
	close(goOn)
	if s := <-next; s.Time.Before(newest.Add(-2 * process.MinInterval)) {
		t.Errorf("it got a sample of %v before the newest", newest.Sub(s.Time))
	}
}

// sampling reports whether there is a goroutine that takes samples.
func sampling() bool {
	stacks := make([]byte, megabyte)
	return strings.Contains(string(stacks[:runtime.Stack(stacks, true)]), "process.(*sampler)")
}

// reads is how often this program has read anything.
func reads(t *testing.T) (n int) {
	t.Helper()
	f, err := os.Open("/proc/self/io")
	if err != nil {
		t.Skip("reads are counted in /proc: ", err)
	}
	defer f.Close()
	text, err := io.ReadAll(f)
	if err != nil {
		t.Skip("reads are counted in /proc: ", err)
	}
	for line := range strings.Lines(string(text)) {
		if _, err := fmt.Sscanf(line, "syscr: %d", &n); err == nil {
			return n
		}
	}
	t.Skip("reads are not counted in /proc")
	return 0
}

// TestNothingIsReadWhileNobodyListens also shows that listeners are counted:
// the last one that goes ends it.
func TestNothingIsReadWhileNobodyListens(t *testing.T) {
	var out lines
	m := measure(t, shell(t, "echo ready; exec sleep 60", &out))
	await(t, &out, "ready")
	eventually(t, "nobody samples before", func() bool { return !sampling() })
	const idle = 5 * process.MinInterval
	count := func() int {
		before := reads(t)
		time.Sleep(idle)
		return reads(t) - before
	}
	goroutines := runtime.NumGoroutine()
	unheard := count()

	ctx, cancel := context.WithCancel(t.Context())
	var listeners sync.WaitGroup
	for range 2 {
		listeners.Go(func() {
			for range m.Watch(ctx, process.MinInterval) {
			}
		})
	}
	n := 0
	for range m.Watch(t.Context(), process.MinInterval) {
		if n++; n == 3 {
			break
		}
	}
	if !sampling() {
		t.Error("one listener has gone and nobody samples for the others")
	}
	heard := count()
	cancel()
	listeners.Wait()
	eventually(t, "nobody samples when the last has gone", func() bool { return !sampling() })
	eventually(t, "the goroutines are those of before", func() bool { return runtime.NumGoroutine() <= goroutines })
	if unheardAgain := count(); heard < unheard+10 || heard < unheardAgain+10 { // others may read, too
		t.Errorf("%d reads before, %d while somebody listens, %d after", unheard, heard, unheardAgain)
	}
}

func TestASampleOfAllHasEveryProcessThatRuns(t *testing.T) {
	var out lines
	a, b := measure(t, shell(t, "sleep 60 & sleep 60 & echo ready; wait", &out)), measure(t, shell(t, "exec sleep 60", &out))
	await(t, &out, "ready")
	all, err := process.Sample()
	if err != nil || len(all) != 2 {
		t.Fatalf("got %v, %v", all, err)
	}
	if all[a.Handle].Processes != 3 || all[b.Handle].Processes != 1 || all[b.Handle].Process.Threads != 1 {
		t.Errorf("got %+v", all)
	}
	if got := a.Handle.Path(); got != "shop/measured" {
		t.Errorf("got the path %q", got)
	}
}

func TestAProcessIsNeverTakenForItsSuccessor(t *testing.T) {
	var out lines
	ctx, cancel := context.WithCancel(t.Context())
	var sampler sync.WaitGroup
	sampler.Go(func() {
		for ctx.Err() == nil {
			all, err := process.Sample()
			if err != nil {
				t.Error(err)
			}
			for h, s := range all {
				if s.Time.Before(h.Began()) || s.Processes == 0 || s.Process.CPU > 10*time.Second {
					t.Errorf("got %+v of a process begun at %v", s, h.Began())
				}
			}
		}
	})
	for range 30 {
		m := measure(t, shell(t, "true & exit 0", &out))
		if s, err := m.Stats(); err != nil && !errors.Is(err, process.ErrEnded) {
			t.Errorf("got %+v, %v", s, err)
		}
		m.Join(0)
	}
	cancel()
	sampler.Wait()
}
