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
	ctx := &asked{run: r, until: r.node.tree.wall(began).Add(timeout)}
	defer ctx.end()
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
