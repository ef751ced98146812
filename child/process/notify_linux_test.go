package process_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/child/process"
)

// speaks is a process that does what its arguments say.
var speaks = addRole("speaks", func(args []string) {
	for i, arg := range args {
		verb, object, _ := strings.Cut(arg, ":")
		if verb == "leave" {
			leaveTo(args[i+1:])
			return
		}
		orExit(actions[verb](object))
	}
})

var actions = map[string]func(string) error{
	"send": func(text string) error { return tell(os.Getenv("NOTIFY_SOCKET"), text) },
	"say": func(text string) error {
		_, err := fmt.Println(text)
		return err
	},
	"newline": func(number string) error {
		fd, _ := strconv.Atoi(number)
		_, err := syscall.Write(fd, []byte("ready\n"))
		return err
	},
	"closed": func(number string) error {
		fd, _ := strconv.Atoi(number)
		if _, err := syscall.Write(fd, nil); !errors.Is(err, syscall.EBADF) {
			return fmt.Errorf("it is open: %w", err)
		}
		return nil
	},
	"sleep": func(text string) error {
		d, err := time.ParseDuration(text)
		time.Sleep(d)
		return err
	},
	"term": func(string) error {
		asked := make(chan os.Signal, 1)
		signal.Notify(asked, syscall.SIGTERM)
		fmt.Println("waiting")
		<-asked
		return nil
	},
	"forever": func(text string) error {
		every := 20 * time.Millisecond
		if text == "flood" {
			text, every = "STATUS=flood", 0
		}
		for {
			if text != "" {
				_ = tell(os.Getenv("NOTIFY_SOCKET"), text)
			}
			time.Sleep(every)
		}
	},
}

// leaveTo leaves the rest to a child, which becomes the main process.
func leaveTo(args []string) {
	cmd := exec.Command("/proc/self/exe", args...)
	cmd.Env = playing("speaks")
	orExit(cmd.Start())
	_ = tell(os.Getenv("NOTIFY_SOCKET"), "READY=1\nMAINPID="+strconv.Itoa(cmd.Process.Pid))
}

func tell(socket, text string) error {
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Net: "unixgram", Name: socket})
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = conn.Write([]byte(text))
	return err
}

// speaker is a command that does what args say.
func speaker(out *lines, args ...string) process.Command {
	return process.Command{
		Path: "/proc/self/exe", Args: args, Env: []string{roleVariable + "=" + speaks, "GORACE=atexit_sleep_ms=0"},
		Stdout: process.Output{Writer: out}, Stderr: process.Output{Writer: out},
	}
}

// run is one run of a command, as a supervisor sees it.
type run struct {
	ready  chan struct{}
	once   sync.Once
	cancel context.CancelFunc
	killed chan struct{}
	done   chan struct{}
	err    error

	mu     sync.Mutex // protects what follows
	handle *process.Handle
	facts  []child.Facts
}

func (r *run) Ready()                  { r.once.Do(func() { close(r.ready) }) }
func (r *run) Killed() <-chan struct{} { return r.killed }
func (r *run) Path() string            { return "root/one" }
func (r *run) Incarnation() uint64     { return 1 }
func (r *run) Logger() *slog.Logger    { return slog.New(slog.DiscardHandler) }
func (r *run) Redact(s string) string  { return s }
func (r *run) Publish(v any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch v := v.(type) {
	case *process.Handle:
		r.handle = v
	case child.Facts:
		r.facts = append(r.facts, v)
	}
}

// begin runs c until the test ends.
func begin(t *testing.T, c process.Command) *run {
	t.Helper()
	r := &run{ready: make(chan struct{}), killed: make(chan struct{}), done: make(chan struct{})}
	ctx, cancel := context.WithCancel(context.WithValue(t.Context(), child.RuntimeKey{}, r))
	r.cancel = cancel
	go func() {
		defer close(r.done)
		r.err = c.Serve(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		r.kill()
		<-r.done
	})
	return r
}

func (r *run) kill() {
	r.mu.Lock()
	defer r.mu.Unlock()
	select {
	case <-r.killed:
	default:
		close(r.killed)
	}
}

// eventually waits until what is true.
func (r *run) eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s; it said %+v", what, r.said())
		}
	}
}

func (r *run) live() *process.Handle {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.handle
}

func (r *run) said() process.Said {
	if h := r.live(); h != nil {
		return h.Said()
	}
	return process.Said{}
}

func (r *run) status() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.facts) == 0 {
		return ""
	}
	return r.facts[len(r.facts)-1].Status
}

func (r *run) awaitReady(t *testing.T) {
	t.Helper()
	select {
	case <-r.ready:
	case <-r.done:
		t.Fatal("it is over: ", r.err)
	case <-time.After(20 * time.Second):
		t.Fatalf("it is never ready: %+v", r.said())
	}
}

// end waits for the end, which is not asked for.
func (r *run) end(t *testing.T) child.Exit {
	t.Helper()
	select {
	case <-r.done:
	case <-time.After(20 * time.Second):
		t.Fatalf("it does not end: %+v", r.said())
	}
	return child.ExitOf(r.err)
}

func isReady(r *run) bool {
	select {
	case <-r.ready:
		return true
	default:
		return false
	}
}

func TestTheStartIsCompleteWhenAllSignsHaveCome(t *testing.T) {
	line := process.Ready{Line: regexp.MustCompile(`^listening on \d+$`)}
	newline, both := process.Ready{Descriptor: 7}, process.Ready{Line: line.Line, Descriptor: 3}
	message := process.Notify{Ready: true}
	for name, tt := range map[string]struct {
		ready  process.Ready
		notify process.Notify
		before []string // not enough
		then   string
	}{
		"a line":               {line, process.Notify{}, []string{"say:listening on", "say:x"}, "say:listening on 80"},
		"a newline":            {newline, process.Notify{}, []string{"say:x", "closed:3", "closed:6"}, "newline:7"},
		"a message":            {process.Ready{}, message, []string{"send:STATUS=x", "send:STOPPING=1"}, "send:READY=1"},
		"the line comes last":  {both, message, []string{"send:READY=1", "newline:3"}, "say:listening on 80"},
		"the newline is last":  {both, message, []string{"send:READY=1", "say:listening on 80"}, "newline:3"},
		"the message is last":  {both, message, []string{"newline:3", "say:listening on 80"}, "send:READY=1"},
		"no sign but a socket": {process.Ready{}, process.Notify{Listen: true}, nil, "send:X=1"},
	} {
		t.Run(name, func(t *testing.T) {
			out := new(lines)
			c := speaker(out, append(tt.before, "term", tt.then, "forever")...)
			c.Ready, c.Notify = tt.ready, tt.notify
			r := begin(t, c)
			await(t, out, "waiting")
			if tt.before != nil && isReady(r) {
				t.Error("it is ready too soon")
			}
			r.eventually(t, "it has a handle", func() bool { return r.live() != nil })
			if err := r.live().Signal(process.Leader, syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			r.awaitReady(t)
		})
	}
}

func TestTheLastWordsOfAProcessCanBeItsSigns(t *testing.T) {
	for name, c := range map[string]process.Command{
		"a line":    {Args: []string{"say:up"}, Ready: process.Ready{Line: regexp.MustCompile("up")}},
		"a newline": {Args: []string{"newline:3"}, Ready: process.Ready{Descriptor: 3}},
		"a message": {Args: []string{"send:READY=1"}, Notify: process.Notify{Ready: true}},
	} {
		t.Run(name, func(t *testing.T) {
			for range 10 {
				s := speaker(new(lines), c.Args...)
				s.Ready, s.Notify = c.Ready, c.Notify
				r := begin(t, s)
				if exit := r.end(t); exit.Kind != child.Normal || !isReady(r) {
					t.Fatalf("got %v, ready %v", exit, isReady(r))
				}
			}
		})
	}
}

func TestAnEndWithoutTheSignsIsNotReady(t *testing.T) {
	c := speaker(new(lines), "say:x")
	c.Notify.Ready = true
	r := begin(t, c)
	if exit := r.end(t); exit.Kind != child.Normal || isReady(r) {
		t.Errorf("got %v, ready %v", exit, isReady(r))
	}
}

func TestAStartTakesNoLongerThanItMayUnlessTheProcessAsks(t *testing.T) {
	c := speaker(new(lines), "forever")
	c.Ready, c.Notify = process.Ready{Within: 100 * time.Millisecond}, process.Notify{Ready: true}
	if exit := begin(t, c).end(t); exit.Kind != child.KilledByUs || exit.Reason != child.ByReadiness {
		t.Errorf("got %v", exit)
	}
	c.Args = []string{"send:EXTEND_TIMEOUT_USEC=60000000", "sleep:1500ms", "send:READY=1", "forever"}
	c.Ready.Within = time.Second
	begin(t, c).awaitReady(t)
}

func TestNoSignOfLifeInTimeFailsTheRun(t *testing.T) {
	out := new(lines)
	c := speaker(out, "send:READY=1", "forever")
	c.Notify = process.Notify{Ready: true, Watchdog: 200 * time.Millisecond}
	r := begin(t, c)
	exit := r.end(t)
	var failed *process.WatchdogError
	if !errors.As(r.err, &failed) || failed.Interval != c.Notify.Watchdog || !isReady(r) {
		t.Errorf("got %v", r.err)
	}
	if got := exit.String(); got != "killed (beat): watchdog: no WATCHDOG=1 for 200ms" {
		t.Errorf("got %s", got)
	}
}

func TestSignsOfLifeKeepAProcessAlive(t *testing.T) {
	c := speaker(new(lines), "send:READY=1", "forever:WATCHDOG=1")
	c.Notify = process.Notify{Ready: true, Watchdog: 500 * time.Millisecond}
	r := begin(t, c)
	r.awaitReady(t)
	select {
	case <-r.done:
		t.Fatal(r.err)
	case <-time.After(1500 * time.Millisecond):
	}
	if r.said().Beat.IsZero() {
		t.Error("no sign of life was heard")
	}
	r.cancel()
	if exit := r.end(t); exit.Kind != child.Normal {
		t.Errorf("the stop: got %v", exit)
	}
}

func TestTheWatchdogBeginsAfterTheStartAndEndsWithTheStop(t *testing.T) {
	out := new(lines)
	c := speaker(out, "sleep:300ms", "send:READY=1\nWATCHDOG=1", "term", "sleep:300ms")
	c.Notify = process.Notify{Ready: true, Watchdog: 150 * time.Millisecond}
	r := begin(t, c)
	r.awaitReady(t)
	await(t, out, "waiting")
	r.cancel()
	if exit := r.end(t); exit.Kind != child.Normal {
		t.Errorf("got %v", exit)
	}
}

func TestAProcessCanAskForItsWatchdogAndChangeIt(t *testing.T) {
	c := speaker(new(lines), "send:WATCHDOG=trigger", "forever")
	c.Notify.Listen = true
	if exit := begin(t, c).end(t); exit.Kind != child.KilledByUs || exit.Reason != child.ByBeat {
		t.Errorf("trigger: got %v", exit)
	}
	c.Args = []string{"send:WATCHDOG_USEC=300000", "forever"}
	c.Notify = process.Notify{Watchdog: time.Hour}
	r := begin(t, c)
	var failed *process.WatchdogError
	if r.end(t); !errors.As(r.err, &failed) || failed.Interval != 300*time.Millisecond {
		t.Errorf("shorter: got %v", r.err)
	}
	c.Args = []string{"send:WATCHDOG_USEC=0", "sleep:2s"}
	c.Notify.Watchdog = time.Second
	if exit := begin(t, c).end(t); exit.Kind != child.Normal {
		t.Errorf("none: got %v", exit)
	}
}

func TestWhatAProcessSaysIsShown(t *testing.T) {
	c := speaker(new(lines), "term", "send:STATUS=half way", "term", "send:RELOADING=1", "term", "send:READY=1\nERRNO=2\nSTATUS=", "term", "send:STOPPING=1", "forever")
	c.Notify.Listen = true
	r := begin(t, c)
	for i, want := range []string{"half way", "reloading: half way", "no such file or directory", "stopping: no such file or directory"} {
		out := c.Stdout.Writer.(*lines)
		r.eventually(t, "it waits", func() bool { return strings.Count(out.String(), "waiting") > i })
		if err := r.live().Signal(process.Leader, syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		r.eventually(t, want, func() bool { return r.status() == want })
	}
	if s := r.said(); !s.Ready || !s.Stopping || s.Errno != syscall.ENOENT || s.Taken != 4 {
		t.Errorf("got %+v", s)
	}
}

func TestAMessageOfAStrangerIsRefused(t *testing.T) {
	out := new(lines)
	c := speaker(out, "forever")
	c.Shell, c.Path, c.Args = true, `echo "at $NOTIFY_SOCKET."; exec sleep 60`, nil
	c.Notify.Ready = true
	r := begin(t, c)
	await(t, out, ".\n")
	socket := strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(out.String()), "at "), ".")
	if err := tell(socket, "READY=1\nSTATUS=forged"); err != nil {
		t.Fatal(err)
	}
	r.eventually(t, "it is refused", func() bool { return r.said().Refused == 1 })
	if s := r.said(); s.Taken != 0 || s.Ready || r.status() != "" || isReady(r) {
		t.Errorf("got %+v", s)
	}
}

func TestAStopIsExtendedWithinWhatItMayTake(t *testing.T) {
	out := new(lines)
	c := speaker(out, "term", "send:STOPPING=1\nEXTEND_TIMEOUT_USEC=60000000", "sleep:500ms", "say:bye")
	c.Notify.Listen = true
	c.Stop = process.Ladder{{Signal: syscall.SIGTERM, Wait: 200 * time.Millisecond}}
	r := begin(t, c)
	await(t, out, "waiting")
	r.cancel()
	if exit := r.end(t); exit.Kind != child.Normal || !strings.Contains(out.String(), "bye") {
		t.Errorf("got %v", exit)
	}

	c.Args = []string{"term", "send:EXTEND_TIMEOUT_USEC=60000000", "say:busy", "forever"}
	r = begin(t, c)
	r.eventually(t, "it waits", func() bool { return strings.Count(out.String(), "waiting") > 1 })
	r.cancel()
	await(t, out, "busy")
	r.kill()
	if exit := r.end(t); exit.Signal != syscall.SIGKILL {
		t.Errorf("the grace is over: got %v", exit)
	}

	c.Args, c.Notify.Ready = []string{"send:EXTEND_TIMEOUT_USEC=60000000\nREADY=1", "term", "forever"}, true
	r = begin(t, c)
	r.awaitReady(t)
	r.cancel()
	if exit := r.end(t); exit.Signal != syscall.SIGKILL && exit.Kind != child.Normal {
		t.Errorf("time that was asked for before the start was complete: got %v", exit)
	}
}

func TestTheRunGoesOnWithTheMainProcessThatWasNamed(t *testing.T) {
	c := speaker(new(lines), "sleep:50ms", "leave", "sleep:100ms", "send:STATUS=moved", "forever")
	c.Notify.Ready = true
	r := begin(t, c)
	r.awaitReady(t)
	r.eventually(t, "the main process is the one that is meant", func() bool {
		return r.live().PID() == r.said().MainPID && r.status() == "moved"
	})
	pid := r.live().PID()
	r.mu.Lock()
	shown := r.facts[len(r.facts)-1].PID
	r.mu.Unlock()
	if shown != pid || !r.live().Alive() {
		t.Errorf("%d is shown, want %d, alive %v", shown, pid, r.live().Alive())
	}
	r.cancel()
	if exit := r.end(t); exit.Kind != child.Normal {
		t.Errorf("the stop: got %v", exit)
	}
	if l := living([]int{pid}); len(l) > 0 {
		t.Errorf("%v lives on", l)
	}
}

// TestSystemdNotifyTellsAProcessesSocket runs the program of that name.
func TestSystemdNotifyTellsAProcessesSocket(t *testing.T) {
	if _, err := exec.LookPath("systemd-notify"); err != nil {
		t.Skip("Debian's package systemd has it: ", err)
	}
	users := map[string]process.User{"as our user": {}}
	if os.Getuid() == 0 {
		users["as an ordinary user"] = process.User{Name: "65534"}
	}
	for name, user := range users {
		script := func(text string) process.Command {
			out := new(lines)
			return process.Command{
				Path: text, Shell: true, Dir: "/", User: user, Notify: process.Notify{Ready: true},
				Stdout: process.Output{Writer: out}, Stderr: process.Output{Writer: out},
			}
		}
		t.Run(name, func(t *testing.T) {
			c := script(`systemd-notify --ready --status="half way" && systemd-notify WATCHDOG=1 && echo fallen && exec sleep 60`)
			c.Notify.Watchdog = time.Minute
			began := time.Now()
			r := begin(t, c)
			r.awaitReady(t)
			await(t, c.Stdout.Writer.(*lines), "fallen")
			if took := time.Since(began); took > 4*time.Second {
				t.Errorf("a barrier was waited for in vain: %v", took)
			}
			r.eventually(t, "a sign of life", func() bool { return !r.said().Beat.IsZero() })
			if got := r.status(); got != "half way" {
				t.Errorf("got %q", got)
			}
		})
		t.Run(name+" that does not wait a hundred times", func(t *testing.T) {
			r := begin(t, script(`i=0; while [ $i -lt 100 ]; do systemd-notify --no-block "STATUS=$i"; i=$((i+1)); done; systemd-notify --ready; exec sleep 60`))
			r.awaitReady(t)
			if s := r.said(); s.Status != "99" || s.Refused != 0 || s.Taken < 101 {
				t.Errorf("got %+v", s)
			}
		})
	}
}

func TestFourThatFloodTheirSocketsCostASiblingNothing(t *testing.T) {
	var floods []*run
	for range 4 {
		c := speaker(new(lines), "forever:flood")
		c.Notify.Listen = true
		floods = append(floods, begin(t, c))
	}
	for _, f := range floods {
		f.eventually(t, "it is throttled", func() bool { return f.said().Throttled > 0 })
	}
	began := time.Now()
	c := speaker(new(lines), "send:READY=1", "forever:WATCHDOG=1")
	c.Notify = process.Notify{Ready: true, Watchdog: 2 * time.Second}
	r := begin(t, c)
	r.awaitReady(t)
	first := r.said().Taken
	r.eventually(t, "fifty signs of life", func() bool { return r.said().Taken >= first+50 })
	for _, f := range floods {
		if s, most := f.said(), uint64(100*(time.Since(began).Seconds()+30)); s.Taken > most {
			t.Errorf("%d were read: %+v", s.Taken, s)
		} else if s.Throttled > s.Taken+1 {
			t.Errorf("it was looked at too often: %+v", s)
		}
		f.cancel()
		if exit := f.end(t); exit.Kind != child.Normal {
			t.Errorf("the stop of a flood: got %v", exit)
		}
	}
	if s := r.said(); s.Throttled > 0 || s.Refused > 0 {
		t.Errorf("the sibling: got %+v", s)
	}
}

func TestASocketIsGoneWithItsRun(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	t.Setenv("XDG_RUNTIME_DIR", "")
	descriptors := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip("descriptors are counted in /proc: ", err)
		}
		return len(entries)
	}
	good := speaker(new(lines), "newline:3", "send:READY=1", "send:WATCHDOG=1")
	good.Ready.Descriptor, good.Notify = 3, process.Notify{Ready: true, Watchdog: time.Minute}
	bad := good
	bad.Path = "/no/such/program"
	_ = good.Serve(t.Context())
	before := descriptors()
	for range 20 {
		if err := good.Serve(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := bad.Serve(t.Context()); err == nil {
			t.Fatal("it started")
		}
	}
	if after := descriptors(); after > before {
		t.Errorf("%d descriptors became %d", before, after)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) > 0 {
		t.Errorf("%v are left", left)
	}
}

func TestMistakesInReadyAndNotifyAreTold(t *testing.T) {
	stream := process.Stream{Name: "x"}
	for want, c := range map[string]process.Command{
		"Command.Ready.Line":       {Ready: process.Ready{Line: regexp.MustCompile("x")}, Stdout: process.Output{To: process.Discard}, Stderr: process.Output{To: process.Inherit}},
		"Command.Ready.Descriptor": {Ready: process.Ready{Descriptor: 3}, Streams: []process.Stream{stream}},
		"Command.Ready.Within":     {Ready: process.Ready{Within: time.Second}},
		"Command.Notify.Watchdog":  {Notify: process.Notify{Watchdog: -1}},
		"Command.Notify":           {Notify: process.Notify{Listen: true}, System: process.System{Chroot: "/"}},
	} {
		c.Path = "x"
		var mistake *process.FieldError
		if err := c.Validate(); !errors.As(err, &mistake) || mistake.Field != want {
			t.Errorf("%s: got %v", want, err)
		}
	}
}
