package supervisortest

import (
	"context"
	"time"

	"github.com/coppice-go/coppice/supervisor"
)

// DefaultTimeout is how long a call waits if the watcher's Timeout is zero.
const DefaultTimeout = 10 * time.Second

// A Watcher reads the events of a tree for a test. Make it with [Watch] or
// [WatchAfter]. It holds nothing between calls and need not be closed. Its
// fields are set before a call; it is for one goroutine at a time, and a tree
// may have any number of them.
type Watcher struct {
	// Timeout is how long one call waits, all in all, for what it expects: in a
	// bubble on the virtual clock. Optional; zero is DefaultTimeout.
	Timeout time.Duration
	// Quiet is how long ExpectExactly listens for one more event after the last
	// that it expects. Optional; zero is, in a bubble, until all that is due
	// has happened (in a tree that never rests, ten thousand events that are
	// hidden), and outside not at all: what is told by then counts.
	Quiet time.Duration
	// Only hides all events from the watcher but those that it means.
	// Optional; the zero value hides none.
	Only Matcher

	ctx   context.Context // it bounds every call, and is given once
	sup   *supervisor.Supervisor
	after uint64 // the number of the last event that was taken
}

// Watch watches sup from its first event on, whether it is yet to start, runs
// or has ended. The first events of a long life are held no longer; then a call
// fails with [ErrMissed], and [WatchAfter] is meant. The end of ctx ends every
// call.
func Watch(ctx context.Context, sup *supervisor.Supervisor) *Watcher { return WatchAfter(ctx, sup, 0) }

// WatchAfter watches sup behind the event numbered after, which may be the Seq
// of an event or that of a snapshot: then all is heard that the snapshot does
// not show.
func WatchAfter(ctx context.Context, sup *supervisor.Supervisor, after uint64) *Watcher {
	return &Watcher{ctx: ctx, sup: sup, after: after}
}

// Skip makes the next call go on behind all that has come until now.
func (w *Watcher) Skip() { w.after = w.sup.Snapshot().Seq }

// Expect waits until the events have come that are wanted, in that order, with
// any others before and between them. The next call goes on behind the last of
// them. Otherwise the error is a [*MismatchError], and nothing is taken.
// Without arguments it wants nothing and returns nil.
func (w *Watcher) Expect(want ...Matcher) error { return w.compare(want, false) }

// ExpectExactly waits until the events have come that are wanted, in that order
// and without any others, and then for the time of [Watcher.Quiet] whether one
// more comes. The next call goes on behind the last of them. Otherwise the
// error is a [*MismatchError], and nothing is taken. Without arguments it wants
// that nothing comes.
func (w *Watcher) ExpectExactly(want ...Matcher) error { return w.compare(want, true) }

// compare reads events until the comparison is over.
func (w *Watcher) compare(want []Matcher, exactly bool) error {
	c := &comparison{want: want, only: w.Only, exactly: exactly}
	if c.over() {
		return nil
	}
	ctx, cancel := context.WithCancelCause(w.ctx)
	defer cancel(nil)
	limit := w.timeout()
	if c.decided() {
		limit = w.Quiet
	}
	// A timer of no duration fires outside a bubble at once, and in a bubble
	// when everything else waits; a context's own timeout would end at once.
	timer := time.AfterFunc(limit, func() { cancel(ErrTimeout) })
	defer timer.Stop()
	for e := range w.sup.Events(ctx, w.after) {
		decided := c.decided()
		c.take(e)
		if c.over() {
			break
		}
		if !decided && c.decided() {
			timer.Reset(w.Quiet)
		}
	}
	return w.verdict(ctx, c)
}

// verdict ends a call: it takes the events that were met, or says why not.
func (w *Watcher) verdict(ctx context.Context, c *comparison) error {
	switch {
	case c.why != nil:
	case c.complete() && (!c.exactly || w.ctx.Err() == nil):
		if n := len(c.met); n > 0 {
			w.after = c.got[c.met[n-1]].Seq
		}
		return nil
	case ctx.Err() != nil:
		c.why = context.Cause(ctx)
	default:
		c.why = ErrEnded
	}
	return c.mismatch(w.timeout())
}

func (w *Watcher) timeout() time.Duration {
	if w.Timeout == 0 {
		return DefaultTimeout
	}
	return w.Timeout
}
