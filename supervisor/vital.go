package supervisor

import (
	"sync/atomic"
	"time"

	"github.com/coppice-go/coppice/child"
)

// vital is what is kept of a run that is watched. It hangs on the run's rare,
// so that a run which nobody watches is no larger for it. It fills one line of
// the processor's cache, since a sweep takes as long as it takes to read all.
type vital struct {
	heart   child.Heart
	needs   needs        // of the readiness, what has not come true; under the run's lock
	place   int32        // in the sweep, -1 if not there
	limit   int32        // how many looks may find no beat; 0 is any number
	silent  int32        // how many in a row have found none; -1 before the first
	last    atomic.Int64 // the last sign of life, as a time of the tree; 0 is none
	ping    *pinging     // nil without a ping
	run     *run
	pause   time.Duration // which sweep
	silence time.Duration // what limit comes from
}

// newVital makes what is kept of the run r of a child with that spec.
func newVital(r *run, s child.Spec) *vital {
	v := &vital{run: r, place: -1, silent: -1}
	if r.child.Policy.Calls {
		v.needs = call
	}
	if s.Ready.Probe != nil || s.Ready.After > 0 {
		v.needs |= probed
	}
	l := s.Watched()
	if l.Ping == nil && l.Silence == 0 {
		return v
	}
	v.pause = pauseFor(l.Silence, l.Timeout, l.Interval)
	v.silence, v.limit = l.Silence, looksIn(l.Silence, v.pause)
	if l.Ping != nil {
		v.ping = newPinging(v, l)
	}
	return v
}

// look is one look of the sweep. It reports whether the run may be alive.
func (v *vital) look(now time.Duration) bool {
	if v.heart.Take() {
		v.silent = 0
		v.last.Store(int64(now))
	} else if v.silent++; v.limit > 0 && v.silent >= v.limit {
		return false
	}
	return v.ping == nil || v.ping.look()
}

// verdict is why a look has found the run not to be alive.
func (v *vital) verdict() *cause {
	if v.limit > 0 && v.silent >= v.limit {
		return &cause{child.ByBeat, "no beat for " + v.silence.String()}
	}
	return v.ping.verdict()
}

// watchedBy reports whether a run of that spec has to have a vital.
func watchedBy(s child.Spec) bool {
	l := s.Watched()
	return l.Ping != nil || l.Silence > 0 || s.Ready.Probe != nil || s.Ready.After > 0
}

// begin makes the run's vital before the run itself begins, and looks after
// its readiness. Without that its start is complete.
//
//go:noinline
func (r *run) begin() {
	spec := r.child.Spec.(child.Spec)
	v := newVital(r, spec)
	waits := v.needs
	r.mu.Lock()
	r.seldom().vital = v
	r.mu.Unlock()
	if waits&probed != 0 {
		go r.prepare(spec.Ready)
	}
	if waits == 0 {
		r.watch()
	}
}

// vital is what is kept of the run, nil if nobody watches it.
func (r *run) vital() *vital {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.rare == nil {
		return nil
	}
	return r.rare.vital
}

// watch begins to ask for signs of life, unless the run was told to stop.
//
//go:noinline
func (r *run) watch() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if v := r.rare.vital; v.pause > 0 && r.cause == nil {
		v.last.Store(int64(r.node.tree.now()))
		r.node.tree.watch.add(v)
	}
}

// unwatch asks for no more signs of life. The run's context has ended.
//
//go:noinline
func (r *run) unwatch() {
	if v := r.vital(); v != nil && v.pause > 0 {
		r.node.tree.watch.remove(v)
	}
}

// Pulse is the heart that the run's beats go to.
func (r *run) Pulse() *child.Heart {
	if v := r.vital(); v != nil {
		return &v.heart
	}
	return nil
}

// fail ends the run because of why.
func (r *run) fail(why *cause) {
	r.because(why)
	r.node.fail(r, why.reason)
}

// because keeps why the run is going to be told to stop, if it is.
func (r *run) because(why *cause) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seldom().verdict = why
}

// Explain puts into the exit why the run was told to stop, if that is why it
// has failed.
//
//go:noinline
func (r *run) Explain(exit *child.Exit) {
	r.mu.Lock()
	why := r.cause
	r.mu.Unlock()
	if why != nil && why.reason.Failure() {
		exit.Explain(why.text)
	}
}

// Vitals are the signs of life of a run that is watched. It is a plain value.
type Vitals struct {
	// LastSign is when the run beat last, to the resolution of its Liveness, or
	// answered a ping; at first, when it was ready. Zero before that.
	LastSign time.Time
	// Ping is how long the last answer took, zero before the first.
	Ping time.Duration
	// Failures is how many pings in a row have failed.
	Failures int
	// Failure says why the last ping failed, or in a start the last probe;
	// empty if it did not.
	Failure string
}

// vitals shows the run's, nil if nobody watches it.
func (r *run) vitals() *Vitals {
	v := r.vital()
	if v == nil {
		return nil
	}
	s := &Vitals{}
	if last := v.last.Load(); last != 0 {
		s.LastSign = r.node.tree.wall(time.Duration(last))
	}
	if v.ping != nil {
		v.ping.show(s)
	}
	if why, ok := r.unready(); ok {
		s.Failure = why
	}
	return s
}
