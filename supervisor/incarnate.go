package supervisor

import (
	"context"
	"errors"
	"runtime"
	"runtime/pprof"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/supervisor/internal/machine"
)

// label is the pprof label that holds a child's path. The stack of a run that
// does not end is found by it, and so is whatever goroutines it started.
const label = "coppice"

// inPlace is how many runs a goroutine may begin before it lets others have a
// turn. Children that fail without a delay would each keep their processor for
// the ten milliseconds that the scheduler grants.
const inPlace = 128

// incarnate runs r in this goroutine, and the runs of the same child that
// follow at once: a new goroutine for each costs more than all the rest.
func incarnate(r *run) {
	service := serviceOf(r.child)
	pprof.SetGoroutineLabels(r.labels())
	r = r.once(service)
	if r == nil {
		return
	}
	labels := r.labels() // kept from the second run on: most children have one
	for n := 2; r != nil; n++ {
		pprof.SetGoroutineLabels(labels) // the run before may have left others
		r = r.once(service)
		if n%inPlace == 0 {
			runtime.Gosched()
		}
	}
}

// serviceOf is what a child runs.
//
//go:noinline
func serviceOf(c *machine.Child) child.Service { return c.Spec.(child.Spec).Run }

// once runs r and reports how it ended. It returns the next run of the same
// child if that is to begin in this goroutine. After a Goexit only the
// deferred part is left of it, and the goroutine ends.
func (r *run) once(service child.Service) (next *run) {
	var exit child.Exit
	returned := false
	defer func() {
		if !returned {
			r.gone(&exit)
		}
	}()
	if r.child.Leftover {
		exit = child.ExitOf(&child.StartError{Err: ErrStuck})
	} else {
		if r.child.Policy.Watched {
			r.begin()
		}
		child.Serve(r, service, &exit, r.node.tree.options.Panics == Crash)
	}
	next = r.node.exited(r, &exit, r.verdict(&exit), true)
	returned = true
	return next
}

// gone reports a run whose goroutine ends with it. If that ended in a method of
// the error that the run returned, the error is not asked again.
func (r *run) gone(exit *child.Exit) {
	verdict := machine.ByType
	if exit.Kind == child.Goexited || exit.Kind == child.Panicked {
		verdict = r.verdict(exit)
	}
	r.node.exited(r, exit, verdict, false)
}

// verdict is what the user's code makes of an exit, and the exit itself where
// that answers a stop. It runs in the goroutine of the run, without a lock.
//
//go:noinline
func (r *run) verdict(exit *child.Exit) machine.Verdict {
	if exit.Kind == child.Normal && !r.child.Policy.Decides {
		return machine.ByType
	}
	switch exit.Kind {
	case child.GaveUp, child.ShutDown, child.StartFailed:
		r.amend(exit)
	}
	if exit.Kind == child.Failed && r.phase.Load() == told && r.answers(exit.Err) {
		*exit = child.Exit{}
		return machine.ByType
	}
	switch never, terminate := exit.Sentinel(); {
	case never:
		return machine.NeverAgain
	case terminate:
		return machine.EndTree
	}
	if r.child.Policy.Decides && r.running() {
		return machine.Verdict(r.decide(*exit))
	}
	return machine.ByType
}

// amend corrects what the exit claims, before anybody is asked about it.
func (r *run) amend(exit *child.Exit) {
	r.node.lock()
	defer r.node.mu.Unlock()
	if r.child.Run == any(r) {
		r.child.Amend(exit)
	}
}

// running reports whether the run has started and was not told to stop.
func (r *run) running() bool {
	r.node.lock()
	defer r.node.mu.Unlock()
	return r.child.Run == any(r) && r.child.State == machine.Running
}

// answers reports whether err is what a context's end asks for.
func (r *run) answers(err error) (is bool) {
	defer func() { _ = recover() }() // Is and Unwrap are the user's
	r.mu.Lock()
	cause := r.cause
	r.mu.Unlock()
	return errors.Is(err, context.Canceled) || errors.Is(err, cause)
}

// decideTime is how long a Decide may take.
const decideTime = 5 * time.Second

// decide asks the spec's Decide, in a goroutine of its own, which is left
// behind if it does not answer.
func (r *run) decide(exit child.Exit) child.Decision {
	answer := make(chan child.Decision, 1)
	go func() {
		d := child.ByType
		defer func() {
			if v := recover(); v != nil {
				r.node.tree.complain("Decide panicked", r.Path(), child.Recovered(v))
			}
			answer <- d // also after a Goexit
		}()
		if f := r.child.Spec.(child.Spec).Decider(); f != nil {
			if said := f(exit); said <= child.EscalateIt {
				d = said
			}
		}
	}()
	timer := time.NewTimer(decideTime)
	defer timer.Stop()
	select {
	case d := <-answer:
		return d
	case <-timer.C:
		r.node.tree.complain("Decide does not answer", r.Path(), nil)
		return child.ByType
	}
}
