package supervisor

import (
	"strings"
	"time"

	"github.com/coppice-go/coppice/child"
)

// needs is what a start that is not complete waits for.
type needs uint8

const (
	call   needs = 1 << iota // the run calls Ready
	probed                   // it has lived, and its probe has answered
)

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
		r.because(unready("its probe has not answered"))
	}
	for wait() {
		if ready.Probe == nil || r.yes(ready, heard) {
			r.because(nil)
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
	r.because(unready(why))
	return false
}

// unready is why a run is going to be told to stop that waits for its probe.
func unready(why string) *cause { return &cause{child.ByReadiness, notReady + ": " + why} }

// unready is what the run's probe has said last, if it waits for it.
func (r *run) unready() (why string, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if v := r.rare.verdict; v != nil && v.reason == child.ByReadiness {
		return strings.CutPrefix(v.text, notReady+": ")
	}
	return "", false
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
