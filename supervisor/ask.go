package supervisor

import (
	"cmp"
	"context"
	"errors"
	"runtime/pprof"
	"sync"
	"time"

	"github.com/coppice-go/coppice/child"
)

// outcome is what came of a question to the user's code: a ping or a probe.
type outcome struct {
	took time.Duration
	why  string // it is no; empty if it is yes
	err  error  // the same, if the question panicked
}

// asking is the paths of the children whom a question is put to. There is at
// most one for a child at a time, also if its run has ended and the next has
// begun: one that does not return would otherwise leave a goroutine each time.
type asking struct {
	mu    sync.Mutex // protects paths
	paths map[string]struct{}
}

func (a *asking) begin(path string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, busy := a.paths[path]; busy {
		return false
	}
	if a.paths == nil {
		a.paths = map[string]struct{}{}
	}
	a.paths[path] = struct{}{}
	return true
}

func (a *asking) end(path string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.paths, path)
}

// ask puts a question to the user's code, in a goroutine of its own in which
// heard takes the answer. It does not if one is still under way.
func (r *run) ask(question func(context.Context) error, timeout time.Duration, heard func(outcome)) bool {
	if !r.node.tree.asking.begin(r.path) {
		return false
	}
	go r.question(question, timeout, heard)
	return true
}

var errTimeout = errors.New("coppice: the time for the answer is over")

// question calls the user's code and contains what it does.
func (r *run) question(question func(context.Context) error, timeout time.Duration, heard func(outcome)) {
	began := r.node.tree.now()
	a := outcome{why: "it ended its goroutine (runtime.Goexit)"}
	defer func() {
		if p := recover(); p != nil {
			a.err = child.Recovered(p)
			a.why = "panic: " + a.err.Error()
		}
		if a.took = r.node.tree.now() - began; a.took >= timeout {
			a.why = noAnswer(timeout)
		}
		if a.err != nil && r.phase.Load() == live {
			r.node.tree.complain("a ping or probe panicked", r.path, a.err)
		}
		r.node.tree.asking.end(r.path)
		heard(a)
	}()
	ctx, cancel := context.WithTimeoutCause(r, timeout, errTimeout)
	defer cancel()
	pprof.SetGoroutineLabels(r.real()) // a stack of the run shows what asks about it too
	a.why = no(question(ctx))
}

// noAnswer is what an answer comes to that was late, or has not come at all.
func noAnswer(timeout time.Duration) string { return "no answer within " + timeout.String() }

// no is the text of an answer that is an error, whose methods are the user's.
func no(err error) string {
	if err == nil {
		return ""
	}
	exit := child.ExitOf(err)
	return cmp.Or(exit.Text(), exit.String())
}

// prepare sees to what the start waits for besides the run's own call. It ends
// with the run.
func (r *run) prepare(ready child.Readiness) {
	timer := time.NewTimer(ready.After)
	defer timer.Stop()
	wait := func() bool {
		select {
		case <-timer.C:
			return true
		case <-r.Done():
			return false
		}
	}
	ready = ready.WithDefaults()
	heard := make(chan outcome, 1)
	if ready.Probe != nil {
		r.because(&cause{child.ByReadiness, notReady + ": its probe has not answered"})
	}
	for wait() {
		if ready.Probe == nil || r.yes(ready, heard) {
			r.met(probed)
			return
		}
		timer.Reset(ready.Interval)
	}
}

// yes asks the probe and waits for its answer, or for the end of the run.
func (r *run) yes(ready child.Readiness, heard chan outcome) bool {
	why := "the probe of an earlier run has not returned"
	if r.ask(ready.Probe, ready.Timeout, func(a outcome) { heard <- a }) {
		select {
		case a := <-heard:
			if a.why == "" {
				return true
			}
			why = a.why
		case <-r.Done():
			return false
		}
	}
	r.because(&cause{child.ByReadiness, notReady + ": " + why})
	return false
}

// met takes note that one of the needs of the start has come true.
func (r *run) met(n needs) {
	r.mu.Lock()
	v := r.rare.vital
	last := v.needs == n
	v.needs &^= n
	r.mu.Unlock()
	if last {
		r.node.ready(r)
	}
}
