//go:build linux

package process_test

import (
	"bufio"
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/child/process"
	"github.com/coppice-go/coppice/strategies"
	"github.com/coppice-go/coppice/supervisor"
)

// As an object of Python's multiprocessing.
func TestAHandleKnowsWhatAProcessObjectKnows(t *testing.T) {
	var out lines
	sup := supervised(t, supervisor.Spec{Children: []child.Specer{
		child.Spec{Name: "c", Run: shell(t, "echo $$; exec sleep 300", &out), Restart: child.Temporary},
	}})
	h := handleOf(t, sup, "root/c")
	await(t, &out, "\n")
	if code, ended := h.ExitCode(); !h.Alive() || ended || code != 0 || h.Err() != nil || h.Path() != "root/c" {
		t.Errorf("while it runs: alive is %t, the code %d, %t, %v, at %s", h.Alive(), code, ended, h.Err(), h.Path())
	}
	if got := numbersIn(out.String()); !slices.Equal(got, []int{h.PID()}) {
		t.Errorf("its number is %d, and it says %v", h.PID(), got)
	}
	began := time.Now()
	if h.Join(50*time.Millisecond) || time.Since(began) < 50*time.Millisecond {
		t.Errorf("it was joined while it runs, after %v", time.Since(began))
	}
	if err := h.Terminate(); err != nil {
		t.Error(err)
	}
	if !h.Join(20*time.Second) || h.Alive() {
		t.Error("it lives on")
	}
	if code, ended := h.ExitCode(); !ended || code != 128+int(syscall.SIGTERM) {
		t.Errorf("the code is %d, %t", code, ended)
	}
	var status *child.StatusError
	if err := h.Err(); !errors.As(err, &status) || status.Signal != syscall.SIGTERM {
		t.Errorf("got %v", err)
	}
	if err := h.Terminate(); !errors.Is(err, process.ErrEnded) || !h.Join(0) || !h.Join(time.Nanosecond) {
		t.Errorf("after the end: %v", err)
	}
	stopped(t, sup)
}

// A ladder can begin with a wait for one that is about to end.
func TestAJoinComesBeforeTheTermination(t *testing.T) {
	const join = 400 * time.Millisecond
	patience := process.Ladder{
		{Func: func(context.Context, *process.Handle) error { return nil }, Wait: join},
		{Signal: syscall.SIGTERM, Wait: join},
	}
	t.Run("one that ends by itself is not terminated", func(t *testing.T) {
		var out lines
		c := shell(t, `trap 'echo TERM' TERM; echo on; while [ ! -e "$1" ]; do sleep 0.01; done; echo bye`, &out)
		file := filepath.Join(t.TempDir(), "end")
		c.Args, c.Stop = append(c.Args, "sh", file), patience
		r := serving(t, c)
		await(t, &out, "on")
		r.stop()
		makeFile(t, filepath.Dir(file), "end", "", 0o600)
		if err := r.end(); err != nil {
			t.Errorf("got %v", err)
		}
		arrives(t, &out, "on\nbye\n")
	})
	t.Run("one that hangs is terminated and then killed", func(t *testing.T) {
		var out lines
		c := shell(t, `trap 'echo TERM' TERM; echo on; while :; do sleep 0.02; done`, &out)
		c.Stop = patience
		r := serving(t, c)
		await(t, &out, "on")
		began := time.Now()
		r.stop()
		await(t, &out, "TERM")
		if took := time.Since(began); took < join {
			t.Errorf("it was terminated after %v", took)
		}
		var status *child.StatusError
		if err := r.end(); !errors.As(err, &status) || status.Signal != syscall.SIGKILL || time.Since(began) < 2*join {
			t.Errorf("got %v after %v", err, time.Since(began))
		}
	})
}

// limitedTree is a tree of one child that is restarted at most so often.
func limitedTree(limit strategies.Intensity, c child.Specer) supervisor.Spec {
	return supervisor.Spec{Name: "root", Intensity: limit, Backoff: strategies.Backoff{Min: strategies.None}, Children: []child.Specer{
		child.Spec{Name: "other", Run: sleeper()}, c,
	}}
}

func TestTheFourthRestartWithinTheTimeEndsTheChildAndItsSupervisor(t *testing.T) {
	needTools(t, "sleep")
	opts := supervisor.Options{Logger: slog.New(slog.DiscardHandler)}
	var l launches
	var out lines
	spec := limitedTree(strategies.Intensity{Restarts: 3, Period: time.Hour, Each: true}, l.counted("c", shell(t, "exit 1", &out)))
	spec.Children[0] = child.Spec{Name: "other", Run: shell(t, "echo $$; exec sleep 300", &out)}
	var err error
	within(t, 20*time.Second, "its end", func() { err = opts.Run(context.Background(), spec) })
	var gaveUp *supervisor.ExitError
	if !errors.As(err, &gaveUp) || gaveUp.Cause != supervisor.GaveUp || !gaveUp.Refused || gaveUp.Child != "root/c" || gaveUp.Restarts != 3 {
		t.Errorf("got %v", err)
	}
	if got := l.String(); got != "c c c c" {
		t.Errorf("started were %q", got)
	}
	if left := living(numbersIn(out.String())); len(left) > 0 {
		t.Errorf("these live: %v", left)
	}
}

func TestThreeRestartsWithinTheTimeAreAllowed(t *testing.T) {
	c := shell(t, `echo x >>"$1"; [ "$(wc -l <"$1")" -le 3 ] || exec sleep 300; exit 1`, new(lines))
	c.Args = append(c.Args, "sh", filepath.Join(t.TempDir(), "lives"))
	sup, err := supervisor.Options{Logger: slog.New(slog.DiscardHandler)}.Start(context.Background(),
		limitedTree(strategies.Intensity{Restarts: 3, Period: time.Hour, Each: true}, child.Spec{Name: "c", Run: c}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stopped(t, sup) })
	comesTrue(t, "the fourth life", func() bool { return statusOf(t, sup, "root/c").Incarnation == 4 })
	time.Sleep(100 * time.Millisecond)
	if s := statusOf(t, sup, "root/c"); s.State != supervisor.Running || s.Restarts != 3 || s.WindowRestarts != 3 {
		t.Errorf("got %+v", s)
	}
}

func TestAQuietTimeForgetsTheRestarts(t *testing.T) {
	const period = 200 * time.Millisecond
	sup, err := supervisor.Options{Logger: slog.New(slog.DiscardHandler)}.Start(context.Background(),
		limitedTree(strategies.Intensity{Restarts: 1, Period: period, Each: true}, child.Spec{Name: "c", Run: shell(t, "sleep 0.25; exit 1", new(lines))}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stopped(t, sup) })
	awaitEvent(t, sup, supervisor.ChildStarted, func(e supervisor.Event) bool { return e.Path == "root/c" && e.Incarnation == 5 })
	if s := statusOf(t, sup, "root/c"); s.Restarts < 4 || s.WindowRestarts > 1 {
		t.Errorf("got %+v", s)
	}
}

// answering is a program that answers each line on its third descriptor.
func answering(t *testing.T) process.Command {
	t.Helper()
	c := shell(t, `while read -r question <&3; do echo "$question, yes" >&3; done`, new(lines))
	c.Streams = []process.Stream{{Name: "questions"}}
	return c
}

// question asks the run that lives at the place of ctx.
func question(ctx context.Context) error {
	h, err := supervisor.Get[*process.Handle](ctx, supervisor.Self(ctx))
	if err != nil {
		return err
	}
	conn := h.Stream("questions")
	if deadline, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(deadline)
	}
	if _, err := conn.Write([]byte("alive\n")); err != nil {
		return err
	}
	answer, err := bufio.NewReader(conn).ReadString('\n')
	if err == nil && answer != "alive, yes\n" {
		err = errors.New(answer)
	}
	return err
}

func TestAPingThatIsNotAnsweredMeansANewProcess(t *testing.T) {
	var answered atomic.Int64
	var counts launches
	spec := counts.counted("c", answering(t))
	spec.Liveness = child.Liveness{Interval: 30 * time.Millisecond, Timeout: time.Second, Ping: func(ctx context.Context) error {
		err := question(ctx)
		if err == nil {
			answered.Add(1)
		}
		return err
	}}
	sup := supervised(t, supervisor.Spec{Children: []child.Specer{spec}})
	answers := func(n int64) {
		t.Helper()
		n += answered.Load()
		comesTrue(t, "it answers", func() bool { return answered.Load() >= n })
	}
	answers(3)
	first := handleOf(t, sup, "root/c")
	if err := first.Signal(process.Leader, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	awaitEvent(t, sup, supervisor.ChildExited, func(e supervisor.Event) bool {
		if e.Exit.Kind != child.KilledByUs || e.Exit.Reason != child.ByPing || e.Next != supervisor.Restarts {
			t.Errorf("got %v", e)
		}
		return true
	})
	answers(3)
	second := handleOf(t, sup, "root/c")
	if err := second.Signal(process.Leader, syscall.SIGKILL); err != nil { // it is dead, and needs no ping
		t.Fatal(err)
	}
	awaitEvent(t, sup, supervisor.ChildStarted, func(e supervisor.Event) bool { return e.Incarnation == 3 })
	answers(20)
	third := handleOf(t, sup, "root/c")
	if left := living([]int{first.PID(), second.PID(), third.PID()}); !slices.Equal(left, []int{third.PID()}) {
		t.Errorf("there live %v", left)
	}
	if got := counts.String(); got != "c c c" {
		t.Errorf("started were %q", got)
	}
	stopped(t, sup)
}

// The pool is restarted as one, and nobody goes on pinging the dead.
func TestAfterACrashThereIsOneOfEachProcess(t *testing.T) {
	var l launches
	var children []child.Specer
	for _, name := range []string{"a", "b", "c"} {
		spec := l.counted(name, answering(t))
		spec.Liveness = child.Liveness{Interval: 30 * time.Millisecond, Timeout: 5 * time.Second, Ping: question}
		children = append(children, spec)
	}
	sup := supervised(t, supervisor.Spec{Strategy: strategies.OneForAll, Children: children})
	var before []int
	for _, name := range []string{"a", "b", "c"} {
		before = append(before, handleOf(t, sup, "root/"+name).PID())
	}
	if err := handleOf(t, sup, "root/b").Signal(process.Leader, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	awaitEvent(t, sup, supervisor.ChildStarted, func(e supervisor.Event) bool { return e.Path == "root/c" && e.Incarnation == 2 })
	time.Sleep(300 * time.Millisecond) // ten pings of each
	if got := strings.Fields(l.String()); !slices.Equal(got, []string{"a", "b", "c", "a", "b", "c"}) {
		t.Errorf("started were %q", got)
	}
	if left := living(before); len(left) > 0 || livingNames(t, sup, "root") != "a b c" {
		t.Errorf("of those before live %v, of those now %q", left, livingNames(t, sup, "root"))
	}
	stopped(t, sup)
}
