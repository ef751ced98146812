//go:build linux

package process_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/child/probe"
	"github.com/coppice-go/coppice/child/process"
	"github.com/coppice-go/coppice/child/process/internal/spawn"
	"github.com/coppice-go/coppice/strategies"
	"github.com/coppice-go/coppice/supervisor"
)

// hangs is a program that serves, beats and prints until it is told by SIGUSR1
// to do nothing any more. A stubborn one answers a request to end with a word.
var hangs = addRole("hangs", func(args []string) {
	var hung atomic.Bool
	told := make(chan os.Signal, 10)
	signal.Notify(told, syscall.SIGUSR1)
	if len(args) > 0 && args[0] == "stubborn" {
		signal.Notify(told, syscall.SIGQUIT, syscall.SIGTERM)
	}
	go func() {
		for sig := range told {
			hung.Store(true)
			if sig != syscall.SIGUSR1 {
				fmt.Println("asked by", sig)
			}
		}
	}()
	if os.Getenv("LISTEN_FDS") == "1" {
		listener, err := net.FileListener(os.NewFile(3, "socket"))
		orExit(err)
		go func() {
			_ = http.Serve(listener, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
				if hung.Load() {
					select {} // it accepts and never answers
				}
			}))
		}()
	}
	_ = tell(os.Getenv("NOTIFY_SOCKET"), "READY=1")
	for {
		if !hung.Load() {
			_ = tell(os.Getenv("NOTIFY_SOCKET"), "WATCHDOG=1")
			fmt.Println("well")
		}
		time.Sleep(20 * time.Millisecond)
	}
})

// hanging is the command of it.
func hanging(out *lines, args ...string) process.Command {
	c := speaker(out, args...)
	c.Env[0] = roleVariable + "=" + hangs
	c.Abort = process.Ladder{{Signal: syscall.SIGQUIT, Wait: 5 * time.Second}}
	return c
}

// socket gives c a socket to serve at, of which address is the place.
func socket(t *testing.T, c *process.Command) (address string) {
	t.Helper()
	if !spawn.Vfork {
		t.Skip("sockets are passed on by a start of our own only")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Skip("it needs the loopback interface: ", err)
	}
	defer listener.Close()
	file, err := listener.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	c.Sockets = []process.Socket{{File: file}}
	return listener.Addr().String()
}

// hangup is what became of a run that hung.
type hangup struct {
	found   time.Duration // from when it hung to when it was asked to end, 0 if that is no event
	over    time.Duration // to its end
	stopped child.Reason  // of the event that it was asked to end
	exit    supervisor.Event
	log     string
}

// hang runs the child until it is well, has it hang by a signal, and returns
// when its second run has started.
func hang(t *testing.T, c child.Spec, out *lines, sig syscall.Signal) (u hangup) {
	t.Helper()
	log := new(lines)
	opts := supervisor.Options{Logger: slog.New(slog.NewTextHandler(log, nil))}
	c.Name = "c"
	sup, err := opts.Start(t.Context(), supervisor.Spec{
		Name: "root", Backoff: strategies.Backoff{Min: strategies.None}, Children: []child.Specer{c},
	})
	if err != nil {
		t.Fatal(err)
	}
	await(t, out, "well")
	handle, err := supervisor.Get[*process.Handle](t.Context(), sup.Find("root/c"))
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := handle.Signal(process.Leader, sig); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for e := range sup.Events(ctx, 0) {
		switch {
		case e.Kind == supervisor.ChildStopping && e.Incarnation == 1:
			u.found, u.stopped = e.Time.Sub(began), e.Reason
		case e.Kind == supervisor.ChildExited && e.Incarnation == 1:
			u.over, u.exit = e.Time.Sub(began), e
		}
		if e.Kind == supervisor.ChildStarted && e.Incarnation == 2 {
			break
		}
	}
	if ctx.Err() != nil {
		t.Error("there is no second run")
	}
	stopped(t, sup)
	u.log = log.String()
	return u
}

// slack is what a busy machine may add to a bound.
const slack = 3 * time.Second

func TestAProcessThatHangsIsFoundInTimeAndItsEndSaysByWhat(t *testing.T) {
	const ms = time.Millisecond
	pings := child.Liveness{Interval: 400 * ms, Timeout: 300 * ms, Failures: 2}
	const within = 2*400*ms + 300*ms + 2*50*ms // with an eighth for each look
	const pinged = "killed (ping): no answer within 300ms (2 in a row); then exit code 2"
	type change = func(address string, s *child.Spec, c *process.Command)
	overHTTP := func(address string, s *child.Spec, _ *process.Command) {
		s.Ready.Probe = probe.HTTP{URL: "http://" + address}.Ping
		s.Liveness, s.Liveness.Ping = pings, s.Ready.Probe
	}
	overTCP := func(address string, s *child.Spec, _ *process.Command) {
		s.Ready.Probe = probe.TCP{Address: address, Send: "GET / HTTP/1.0\r\n\r\n", Expect: " 200 "}.Ping
		s.Liveness, s.Liveness.Ping = pings, s.Ready.Probe
	}
	watchdog := func(_ string, _ *child.Spec, c *process.Command) {
		c.Notify = process.Notify{Ready: true, Watchdog: 500 * ms}
	}
	silent := func(_ string, _ *child.Spec, c *process.Command) { c.Idle = 500 * ms }
	for name, tt := range map[string]struct {
		by     change
		sig    syscall.Signal
		bound  time.Duration
		reason child.Reason
		want   string // of the exit
	}{
		"a web server accepts and never answers": {
			overHTTP, syscall.SIGUSR1, within, child.ByPing, pinged,
		},
		"a web server is stopped": {
			overHTTP, syscall.SIGSTOP, within, child.ByPing, pinged,
		},
		"what listens is stopped": {
			overTCP, syscall.SIGSTOP, within, child.ByPing, pinged,
		},
		"what beats is stopped":    {watchdog, syscall.SIGSTOP, 500 * ms, child.ByBeat, "killed (beat): watchdog: no WATCHDOG=1 for 500ms"},
		"what beats beats no more": {watchdog, syscall.SIGUSR1, 500 * ms, child.ByBeat, "killed (beat): watchdog: no WATCHDOG=1 for 500ms"},
		"what prints is stopped":   {silent, syscall.SIGSTOP, 500 * ms, child.ByBeat, "killed (beat): process: it printed nothing for 500ms"},
		"what prints is silent":    {silent, syscall.SIGUSR1, 500 * ms, child.ByBeat, "killed (beat): process: it printed nothing for 500ms"},
	} {
		t.Run(name, func(t *testing.T) {
			var out lines
			c := hanging(&out)
			address := socket(t, &c)
			spec := child.Spec{Shutdown: 10 * time.Second}
			tt.by(address, &spec, &c)
			spec.Run = c
			u := hang(t, spec, &out, tt.sig)
			found := u.over // a run that a command ends is told of when it has ended
			if spec.Liveness.Ping != nil {
				found = u.found
			}
			if found <= 0 || found > tt.bound+slack { // not too early is said in virtual time: here a sign of life can be late
				t.Errorf("it was found after %v, want %v at most", found, tt.bound)
			}
			if e := u.exit; e.Exit.String() != tt.want || e.Exit.Kind != child.KilledByUs || e.Exit.Reason != tt.reason || e.Next != supervisor.Restarts {
				t.Errorf("got %v, reason %q, want %s", e, e.Exit.Reason, tt.want)
			}
			if u.stopped != child.NotTold && u.stopped != tt.reason {
				t.Errorf("it was told to stop by %v", u.stopped)
			}
			if !strings.Contains(u.log, `level=WARN msg="child exited" path=root/c incarnation=1 cause=`) ||
				!strings.Contains(u.log, fmt.Sprintf(` exit=%q next=restarts`, tt.want)) {
				t.Errorf("the log says\n%s", u.log)
			}
			if !strings.Contains(out.String(), "SIGQUIT: quit") {
				t.Errorf("it did not say what it was doing:\n%s", out.String())
			}
		})
	}
}

func TestAHungProcessThatObeysNothingIsAskedRungByRungAndKilled(t *testing.T) {
	var out lines
	c := hanging(&out, "stubborn")
	c.Abort[0].Wait = 200 * time.Millisecond
	const grace = 500 * time.Millisecond
	ping := probe.HTTP{URL: "http://" + socket(t, &c)}.Ping
	u := hang(t, child.Spec{
		Run: c, Shutdown: grace, Ready: child.Readiness{Probe: ping},
		Liveness: child.Liveness{Ping: ping, Interval: 100 * time.Millisecond, Timeout: 100 * time.Millisecond},
	}, &out, syscall.SIGUSR1)
	quit, term := strings.Index(out.String(), "asked by quit"), strings.Index(out.String(), "asked by terminated")
	if quit < 0 || term < quit {
		t.Errorf("it was asked:\n%s", strings.ReplaceAll(out.String(), "well\n", ""))
	}
	if e := u.exit.Exit; !strings.HasSuffix(e.String(), "; then signal: killed") || e.Kind != child.KilledByUs || e.Reason != child.ByPing {
		t.Errorf("got %v", e)
	}
	if took := u.over - u.found; took < grace || took > grace+slack {
		t.Errorf("it was killed after %v", took)
	}
	if !strings.Contains(u.log, `level=WARN msg="child killed" path=root/c incarnation=1 reason=ping`) {
		t.Errorf("the log says\n%s", u.log)
	}
}
