package childtest

import (
	"context"
	"log/slog"
	"runtime/pprof"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coppice-go/coppice/child"
)

// label is the pprof label by which the goroutines of a run are found. Its
// value is a number of its own for each run, in all suites of the program.
const label = "childtest"

var runs atomic.Uint64

// manner is how a run comes to its end.
type manner struct {
	killed bool // the stop leaves it no grace
	ended  bool // it is told before it starts
}

// run is one call of Serve, and the [child.Runtime] behind its context.
type run struct {
	number      string // the value of its label
	incarnation uint64
	manner      manner
	announces   bool // the service is an Announcer, and will announce

	ctx   context.Context
	tell  context.CancelCauseFunc
	ready func() // closes started, once
	kill  func() // closes dead, once

	started chan struct{}
	dead    chan struct{}
	done    chan struct{}
	exit    child.Exit // written before done is closed, read after
}

// begin serves service in a goroutine of its own.
func begin(service child.Service, incarnation uint64, m manner) *run {
	r := &run{
		number: strconv.FormatUint(runs.Add(1), 10), incarnation: incarnation, manner: m,
		started: make(chan struct{}), dead: make(chan struct{}), done: make(chan struct{}),
	}
	r.ready = sync.OnceFunc(func() { close(r.started) })
	r.kill = sync.OnceFunc(func() { close(r.dead) })
	if a, ok := service.(child.Announcer); ok {
		r.announces = a.Announces()
	}
	ctx := context.WithValue(context.Background(), child.RuntimeKey{}, child.Runtime(r))
	// The label is in the context too: pprof.Do within the service keeps it.
	ctx = pprof.WithLabels(ctx, pprof.Labels(label, r.number))
	r.ctx, r.tell = context.WithCancelCause(ctx)
	if m.ended {
		r.tell(ErrStop)
	}
	go r.serve(service)
	return r
}

// serve runs the service. After a Goexit only the deferred part is left of it.
func (r *run) serve(service child.Service) {
	defer close(r.done)
	pprof.SetGoroutineLabels(r.ctx)
	child.Serve(r.ctx, service, &r.exit, false)
}

// Ready notes that the start is complete.
func (r *run) Ready() { r.ready() }

// Killed is closed when the grace is over.
func (r *run) Killed() <-chan struct{} { return r.dead }

// Path is the same for all runs.
func (r *run) Path() string { return "childtest/service" }

// Incarnation is 2 for a run of a service that was run before.
func (r *run) Incarnation() uint64 { return r.incarnation }

// Logger drops what it is given.
func (r *run) Logger() *slog.Logger { return slog.New(slog.DiscardHandler) }

// Publish drops what it is given.
func (r *run) Publish(any) {}

// Redact hides what looks like a secret.
func (r *run) Redact(s string) string { return child.HideSecrets(s) }

// within reports whether c is closed before d is over.
func within(c <-chan struct{}, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-c:
		return true
	case <-timer.C:
		return over(c)
	}
}

// over reports whether c is closed.
func over(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
