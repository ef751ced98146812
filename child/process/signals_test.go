//go:build linux

package process_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/child/process"
	"github.com/coppice-go/coppice/child/process/internal/spawn"
)

// notified is a channel of signals.
func notified(sig ...os.Signal) <-chan os.Signal {
	c := make(chan os.Signal, 16)
	signal.Notify(c, sig...)
	return c
}

const stubborn = `trap "" TERM INT HUP; echo on; while :; do sleep 0.05; done`

func TestAProcessThatIgnoresTheRequestIsKilledWhenTheGraceIsOver(t *testing.T) {
	var out lines
	r := serving(t, shell(t, stubborn, &out))
	await(t, &out, "on")
	r.stop()
	time.Sleep(100 * time.Millisecond)
	if !r.Alive() {
		t.Fatal("it was killed before its grace was over")
	}
	r.kill()
	var status *child.StatusError
	if err := r.end(); !errors.As(err, &status) || status.Signal != syscall.SIGKILL {
		t.Errorf("got %v", err)
	}
}

func TestAStoppedProcessIsWokenToBeTold(t *testing.T) {
	var out lines
	r := serving(t, shell(t, `trap 'echo bye; exit 0' TERM; echo on; sleep 300 & wait`, &out))
	await(t, &out, "on")
	if err := r.Signal(process.Group, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	comesTrue(t, "it is stopped", func() bool { return strings.Contains(stateOf(t, r.PID()), "T") })
	if !r.Alive() {
		t.Error("it was taken for dead")
	}
	if err := r.ended(); err != nil || !strings.Contains(out.String(), "bye") {
		t.Errorf("got %v and %q", err, out.String())
	}
}

// stateOf is the letter of a process's state, empty for one that is gone.
func stateOf(t *testing.T, pid int) string {
	t.Helper()
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return ""
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	state, _, _ := strings.Cut(rest, " ")
	return state
}

func TestAProcessInTheHandsOfADebuggerCanBeStopped(t *testing.T) {
	needTools(t, "strace")
	var out lines
	r := serving(t, shell(t, `trap 'exit 0' TERM; echo on; while :; do sleep 0.01; done`, &out))
	await(t, &out, "on")
	debugger := exec.Command("strace", "-qq", "-p", strconv.Itoa(r.PID()), "-o", "/dev/null")
	if err := debugger.Start(); err != nil {
		t.Skip("no debugger: ", err)
	}
	defer func() { _ = debugger.Process.Kill(); _ = debugger.Wait() }()
	traced := func() bool {
		status, _ := os.ReadFile("/proc/" + strconv.Itoa(r.PID()) + "/status")
		return strings.Contains(string(status), "TracerPid:\t"+strconv.Itoa(debugger.Process.Pid)+"\n")
	}
	for end := time.Now().Add(5 * time.Second); !traced(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Skip("this machine does not let us debug")
		}
	}
	if err := r.ended(); err != nil {
		t.Errorf("got %v", err)
	}
}

func TestAProcessInItsGraceIsNotKilledBecauseAnotherEnded(t *testing.T) {
	var a, b lines
	first, second := serving(t, shell(t, stubborn, &a)), serving(t, shell(t, `echo on; read x; exit 1`, &b))
	await(t, &a, "on")
	first.stop()
	for range 5 {
		_ = shell(t, "exit 1", new(lines)).Serve(t.Context())
	}
	_ = second.ended()
	time.Sleep(50 * time.Millisecond)
	if !first.Alive() {
		t.Error("it was killed")
	}
}

func TestAStopRightAfterTheStartLeavesNothing(t *testing.T) {
	needTools(t, "sleep")
	before := offspring(t)
	var all sync.WaitGroup
	for worker := range 4 {
		all.Go(func() {
			for i := range 75 {
				ctx, cancel := context.WithCancel(context.Background())
				time.AfterFunc(time.Duration((worker*75+i)%300)*10*time.Microsecond, cancel)
				err := process.Command{Path: "sleep", Args: []string{"300"}}.Serve(ctx)
				if err != nil && !errors.Is(err, context.Canceled) {
					t.Errorf("got %v", err)
				}
			}
		})
	}
	within(t, time.Minute, "the stops", all.Wait)
	if after := offspring(t); len(after) > len(before) {
		t.Errorf("before %v, after %v", before, after)
	}
}

func TestManyStopsAreOne(t *testing.T) {
	var out lines
	r := serving(t, shell(t, `trap 'n=$((n+1)); echo told' TERM; echo on; while [ $n -lt 1 ]; do sleep 0.01; done; sleep 0.1; exit 0`, &out))
	await(t, &out, "on")
	for range 20 {
		go r.stop()
	}
	if err := r.end(); err != nil {
		t.Error(err)
	}
	if n := strings.Count(out.String(), "told"); n != 1 {
		t.Errorf("it was told %d times", n)
	}
}

// Every rung is one that the process can see.
func TestALadderIsClimbedRungByRung(t *testing.T) {
	var out lines
	c := shell(t, `
for s in HUP USR1 TERM INT; do trap "echo $s" $s; done
(trap 'echo group' INT; while :; do sleep 0.01; done) &
echo on; while :; do if read -r -t 1 word 2>/dev/null; then echo "$word"; fi; sleep 0.01; done`, &out)
	c.Path = "bash"
	needTools(t, "bash")
	c.Stdin.From = process.Piped
	const wait = 300 * time.Millisecond
	c.Stop = process.Ladder{
		{Signal: syscall.SIGHUP, To: process.Leader, Wait: wait},
		{Text: "quit\n", Wait: wait},
		{Func: func(_ context.Context, h *process.Handle) error { return h.Signal(process.Leader, syscall.SIGUSR1) }, Wait: wait},
		{Signal: syscall.SIGINT, Wait: wait},
	}
	r := serving(t, c)
	await(t, &out, "on")
	r.stop()
	await(t, &out, "INT")
	await(t, &out, "group")
	r.kill()
	_ = r.end()
	at := -1
	for _, rung := range []string{"HUP", "quit", "USR1", "INT"} {
		i := strings.Index(out.String(), rung)
		if i <= at {
			t.Fatalf("%s is not in its place: %q", rung, out.String())
		}
		at = i
	}
}

// inherited are the masks of signals that a child of a program sees, which was
// started by way of the words before it.
func inherited(t *testing.T, before ...string) map[string]uint64 {
	t.Helper()
	masks := map[string]uint64{}
	for line := range strings.Lines(play(t, before, inheritor)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ":\t")
		if n, err := strconv.ParseUint(value, 16, 64); err == nil {
			masks[key] = n
		}
	}
	if len(masks) < 4 {
		t.Fatalf("it shows %v", masks)
	}
	return masks
}

// inheritor is a program whose child shows the signals that it ignores and blocks.
var inheritor = addRole("inheritor", func([]string) {
	orExit(process.Command{
		Path: "grep", Args: []string{"^S[ih][gd]", "/proc/self/status"}, Stdout: process.Output{Writer: os.Stdout},
	}.Serve(context.Background()))
})

func TestNoSignalIsIgnoredOrBlockedInAProcess(t *testing.T) {
	if !spawn.Vfork {
		t.Skip("this build starts processes as the system's library does")
	}
	needTools(t, "grep")
	t.Run("that we ignore", func(t *testing.T) {
		if got := inherited(t, "sh", "-c", `trap "" HUP INT QUIT USR1; exec "$0" "$@"`)["SigIgn"]; got != 0 {
			t.Errorf("ignored are %x", got)
		}
	})
	t.Run("that we block", func(t *testing.T) {
		needTools(t, "python3")
		const block = "import os,signal,sys; signal.pthread_sigmask(signal.SIG_BLOCK,[signal.SIGUSR1,signal.SIGTERM]); os.execv(sys.argv[1],sys.argv[1:])"
		if got := inherited(t, "python3", "-c", block)["SigBlk"]; got != 0 {
			t.Errorf("blocked are %x", got)
		}
	})
}

// What the embedding program has decided over its own signals stands.
func TestAStartLeavesOurOwnSignalsAlone(t *testing.T) {
	if got := play(t, nil, deaf); got != "unharmed" {
		t.Errorf("got %s", got)
	}
}

var deaf = addRole("deaf", func([]string) {
	signal.Ignore(syscall.SIGHUP, syscall.SIGTERM)
	heard := notified(syscall.SIGUSR1)
	for range 20 {
		orExit(process.Command{Path: "true"}.Serve(context.Background()))
	}
	for _, sig := range []syscall.Signal{syscall.SIGHUP, syscall.SIGTERM, syscall.SIGUSR1} {
		orExit(syscall.Kill(os.Getpid(), sig))
	}
	<-heard
	fmt.Println("unharmed")
})

func TestAProcessHasTheLimitOfFilesThatWeWereStartedWith(t *testing.T) {
	const script = `ulimit -Sn 256; exec "$0" "$@"`
	if got := play(t, []string{"sh", "-c", script}, limited); got != "256" {
		t.Errorf("got %s", got)
	}
}

var limited = addRole("limited", func([]string) {
	var ours unix.Rlimit
	orExit(unix.Getrlimit(unix.RLIMIT_NOFILE, &ours))
	if ours.Cur <= 256 {
		orExit(errors.New("this program's own limit was not raised"))
	}
	orExit(process.Command{Path: "sh", Args: []string{"-c", "ulimit -Sn"}, Stdout: process.Output{Writer: os.Stdout}}.Serve(context.Background()))
})

func TestASignalIsSentOnceToEachInScope(t *testing.T) {
	needTools(t, "setsid")
	for scope, want := range map[process.Scope][]string{
		process.Leader: {"leader"},
		process.Group:  {"leader", "member"},
		process.Tree:   {"away", "leader", "member"},
	} {
		t.Run(scope.String(), func(t *testing.T) {
			var out lines
			const hears = `trap "echo $1" USR1; echo ready; i=0; while [ $i -lt 500 ]; do sleep 0.01; i=$((i+1)); done`
			c := shell(t, `
sh -c "$0" sh member &
setsid sh -c "$0" sh away &
`+strings.Replace(hears, "$1", "leader", 1), &out)
			c.Args = append(c.Args, hears)
			r := serving(t, c)
			comesTrue(t, "all are there", func() bool { return strings.Count(out.String(), "ready") == 3 })
			if err := r.Signal(scope, syscall.SIGUSR1); err != nil {
				t.Fatal(err)
			}
			time.Sleep(200 * time.Millisecond)
			heard := slices.DeleteFunc(strings.Split(out.String(), "\n"), func(line string) bool {
				return !slices.Contains([]string{"leader", "member", "away"}, line)
			})
			slices.Sort(heard)
			if !slices.Equal(heard, want) {
				t.Errorf("it was heard by %v, want %v", heard, want)
			}
		})
	}
}

func TestAFunctionOfTheLadderIsToldThatItsTimeIsOver(t *testing.T) {
	var out lines
	told := make(chan time.Duration, 1)
	c := shell(t, `trap 'exit 0' TERM; echo on; while :; do sleep 0.01; done`, &out)
	c.Stop = process.Ladder{
		{Wait: 100 * time.Millisecond, Func: func(ctx context.Context, _ *process.Handle) error {
			began := time.Now()
			<-ctx.Done()
			told <- time.Since(began)
			return nil
		}},
		{Signal: syscall.SIGTERM},
	}
	r := serving(t, c)
	await(t, &out, "on")
	if err := r.ended(); err != nil {
		t.Error(err)
	}
	within(t, 5*time.Second, "the function", func() {
		if took := <-told; took < 50*time.Millisecond {
			t.Errorf("it had %v", took)
		}
	})
}

func TestWithoutAGraceNobodyIsAsked(t *testing.T) {
	var out lines
	r := serving(t, shell(t, `trap 'echo asked; exit 0' TERM; echo on; while :; do sleep 0.01; done`, &out))
	await(t, &out, "on")
	r.kill()
	var status *child.StatusError
	if err := r.ended(); !errors.As(err, &status) || status.Signal != syscall.SIGKILL || strings.Contains(out.String(), "asked") {
		t.Errorf("got %v and %q", err, out.String())
	}
}
