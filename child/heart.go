package child

import (
	"context"
	"sync/atomic"
)

// Heart counts as a sign of life when it beats. It holds whether it has beaten
// since a supervisor looked last: a beat is one read of memory, and one write
// between two looks. The zero value is good and has not beaten; a nil one may
// beat, which does nothing. It may be used from any number of goroutines.
type Heart struct{ beat atomic.Bool }

// Beat is a sign of life. It neither allocates nor waits.
func (h *Heart) Beat() {
	if h != nil && !h.beat.Load() {
		h.beat.Store(true)
	}
}

// Take reports whether h has beaten since it was taken last. It is for those
// who write a supervisor.
func (h *Heart) Take() bool {
	if !h.beat.Load() {
		return false
	}
	h.beat.Store(false)
	return true
}

// A Pulser is a [Runtime] that wants to hear beats.
type Pulser interface {
	// Pulse is the heart of the run, nil if nobody looks at it.
	Pulse() *Heart
}

// Beat says that the run is alive, for a child whose [Liveness] asks for that.
// Otherwise, and without a run in ctx, it does nothing. It looks for the run in
// ctx each time; see [Pulse] for a loop that cannot wait for that.
func Beat(ctx context.Context) { Pulse(ctx).Beat() }

// Pulse is what beats for the run that ctx belongs to: a hot loop asks for it
// once and calls its [Heart.Beat] each time round. It is nil, which may beat
// too, where nobody listens. A heart belongs to one run and says nothing about
// the next.
func Pulse(ctx context.Context) *Heart {
	if p, ok := FromContext(ctx).(Pulser); ok {
		return p.Pulse()
	}
	return nil
}
