package childtest

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/coppice-go/coppice/child"
)

// life is what can be said of a run that is over.
type life struct {
	faults   []fault    // each of another rule
	exit     child.Exit // zero if it is immortal
	early    bool       // it returned before it was told to
	never    bool       // it said that it is never to be started again
	immortal bool       // even a kill did not end it
}

// fault is what a run did wrong.
type fault struct {
	rule string // the case that it violates in a first run
	what string
}

func (l *life) fault(rule, format string, args ...any) {
	l.faults = append(l.faults, fault{rule, fmt.Sprintf(format, args...)})
}

// has reports whether l has a fault of that rule.
func (l *life) has(rule string) bool {
	return slices.ContainsFunc(l.faults, func(f fault) bool { return f.rule == rule })
}

// announced reports whether the service of r has to call Ready.
func (s *suite) announced(r *run) bool { return r.announces || s.options.Ready }

// settle waits until r has started and then looks on for a while, or until it
// returns.
func (s *suite) settle(r *run) {
	if r.manner.ended {
		return
	}
	if s.announced(r) {
		timer := time.NewTimer(s.options.Grace)
		defer timer.Stop()
		select {
		case <-r.started:
		case <-r.done:
		case <-timer.C:
		}
	}
	within(r.done, s.options.Watch)
}

// end tells r to stop, sees it off, and judges it.
func (s *suite) end(r *run) *life {
	l := &life{early: over(r.done) && !r.manner.ended}
	started := over(r.started)
	if r.manner.killed {
		r.kill()
	}
	r.tell(ErrStop)
	hung := !within(r.done, s.options.Grace)
	if hung {
		s.overdue(l, r)
	}
	if l.immortal {
		return l
	}
	l.exit = r.exit
	l.never, _ = l.exit.Sentinel()
	switch {
	case l.exit.Kind == child.Panicked || l.exit.Kind == child.Goexited:
		l.fault("panic", "the run ended so: %v", l.exit)
	case l.early && !s.options.Once:
		l.fault("stays", "Serve returned before it was told to: %v", l.exit)
	case !started && !r.manner.ended && s.announced(r):
		s.unready(l)
	}
	if s.answers(l, r) && !hung && !l.has("panic") && !clean(r) {
		l.fault("answer", "Serve answered a stop with %q", l.exit.Text())
	}
	if left := s.leftovers(r); left != "" {
		l.fault("goroutines", "Serve returned, and of its goroutines there still is %s", left)
	}
	return l
}

// answers reports whether what r returned is its answer to the stop. One that
// was killed need not have one, and one that had been told before might have
// returned the same without, as the first run did.
func (s *suite) answers(l *life, r *run) bool {
	if r.manner.ended {
		return !s.first.early
	}
	return !l.early && !r.manner.killed
}

// overdue is for a run that did not return within the grace: it is killed, and
// may be found to be immortal.
func (s *suite) overdue(l *life, r *run) {
	place := stacks(r.number)
	r.kill()
	l.immortal = r.manner.killed || !within(r.done, s.options.Grace)
	what := "but when it was then killed"
	if l.immortal {
		what = "nor when it was killed"
	}
	l.fault("stop", "Serve did not return within %v after its context had ended, %s: it was at %s", s.options.Grace, what, place)
}

func (s *suite) unready(l *life) {
	if l.early {
		l.fault("ready", "Serve returned without having called child.Ready")
		return
	}
	l.fault("ready", "it did not call child.Ready within %v", s.options.Grace)
}

// clean reports whether r gave one of the answers to a stop. It calls methods
// of the error, which may panic.
func clean(r *run) (is bool) {
	if r.exit.AsError() == nil {
		return true
	}
	if never, _ := r.exit.Sentinel(); never {
		return true
	}
	if r.exit.Kind != child.Failed {
		return false
	}
	defer func() { _ = recover() }()
	return errors.Is(r.exit.Err, r.ctx.Err()) || errors.Is(r.exit.Err, ErrStop)
}
