//go:build unix

package main

import (
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/child/probe"
	"github.com/coppice-go/coppice/child/process"
	"github.com/coppice-go/coppice/strategies"
	"github.com/coppice-go/coppice/supervisor"
)

// A worker is a child that hangs, and how long it takes at most until that is
// found.
type worker struct {
	child.Spec
	what  string
	bound time.Duration
}

// A team is all of them, and what they hold.
type team struct {
	list     []worker
	socket   *os.File    // that the web server serves at
	released atomic.Bool // the one that spins may end
}

// The bounds: a run that shows no sign of life is found after the timeout, one
// that is pinged after the timeout and the interval times the failures. Each is
// looked at eight times in its length, hence the eighth.
func silence(timeout time.Duration) time.Duration { return timeout + timeout/8 }

func pings(l child.Liveness) time.Duration {
	return l.Timeout + time.Duration(l.Failures)*l.Interval + time.Duration(l.Failures+1)*min(l.Timeout, l.Interval)/8
}

// workers are data: nothing of them runs before the tree does.
func workers(p *printer) (*team, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	defer listener.Close()
	all := new(team)
	if all.socket, err = listener.(*net.TCPListener).File(); err != nil {
		return nil, err
	}
	all.goroutines(p)
	all.processes(p, listener.Addr().String())
	return all, nil
}

func (t *team) close() {
	t.released.Store(true)
	_ = t.socket.Close()
}

func (t *team) goroutines(p *printer) {
	const timeout, grace = 800 * time.Millisecond, 200 * time.Millisecond
	beats := child.Liveness{Timeout: timeout}
	t.list = append(t.list,
		worker{child.Spec{
			Name: "silent", Run: child.Func(silent(p, 1*time.Second)), Liveness: beats, Shutdown: grace, Stuck: child.Escalate,
		}, "stops beating", silence(timeout)},
		// A goroutine cannot be killed. Abandon lets it be and starts another
		// beside it; Fresh makes that one locks of its own.
		worker{child.Spec{
			Name: "deadlock", Run: child.Fresh(func() child.Service { return &ledger{printer: p, after: 2 * time.Second} }),
			Liveness: beats, Shutdown: grace, Stuck: child.Abandon,
		}, "deadlocks", silence(timeout)},
		worker{child.Spec{
			Name: "spinner", Run: child.Func(spins(p, 3*time.Second, &t.released)), Liveness: beats, Shutdown: grace, Stuck: child.Abandon,
		}, "spins without a look at its context", silence(timeout)},
	)
}

func (t *team) processes(p *printer, address string) {
	self, err := os.Executable()
	if err != nil {
		self = os.Args[0]
	}
	const idle = 800 * time.Millisecond
	pinged := child.Liveness{Interval: 400 * time.Millisecond, Timeout: 300 * time.Millisecond, Failures: 2}
	locked := counting.With(5 * time.Second)
	locked.Pinged, locked.Command = true, process.Command{Stdout: p.hears("isolated"), Stderr: process.Output{To: process.Discard}}
	web := child.Spec{Name: "web", Shutdown: 2 * time.Second, Run: process.Command{
		Path: self, Args: []string{webRole}, Stdout: p.hears("web"), Stderr: process.Output{To: process.Discard},
		Streams: []process.Stream{{Name: "listener", File: t.socket}},
		// It is asked what it was doing before it is asked to end.
		Abort: process.Ladder{{Signal: syscall.SIGQUIT, Wait: time.Second}},
	}}
	ping := probe.HTTP{URL: "http://" + address + "/healthz"}.Ping
	web.Ready.Probe = ping
	web.Liveness, web.Liveness.Ping = pinged, ping
	t.list = append(t.list,
		worker{child.Spec{Name: "stopped", Run: process.Command{
			Path: `for i in 1 2 3 4 5 6 7 8; do echo tick; sleep 0.5; done; echo hangs; kill -STOP $$`, Shell: true, Stdout: p.hears("stopped"), Idle: idle,
		}}, "is stopped by SIGSTOP, and prints no more", idle},
		worker{child.Spec{Name: "isolated", Run: locked, Liveness: pinged, Shutdown: 200 * time.Millisecond}, "loops with its lock held", pings(pinged)},
		worker{web, "accepts and never answers", pings(pinged)},
	)
}

// tree is the tree of all of them.
func (t *team) tree() supervisor.Spec {
	s := supervisor.Spec{Name: "hung", Backoff: strategies.Backoff{Min: strategies.None}}
	for _, w := range t.list {
		s.Children = append(s.Children, w.Spec)
	}
	return s
}
