package supervisor

import (
	"context"
	"sync"
	"time"

	"github.com/coppice-go/coppice/child"
)

// asked is the context of a question to the user's code. Most are answered
// without a look at it, so it has a timer only when it is first needed.
type asked struct {
	run   *run
	until time.Time

	mu     sync.Mutex // protects what follows
	inner  context.Context
	cancel context.CancelFunc
}

// real is a context that ends with the run and with the time for the answer.
func (a *asked) real() context.Context {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.inner == nil {
		a.inner, a.cancel = context.WithDeadlineCause(a.run, a.until, errTimeout)
	}
	return a.inner
}

// made is real if it was needed, else nil.
func (a *asked) made() context.Context {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.inner
}

// end lets go of the timer.
func (a *asked) end() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.cancel != nil {
		a.cancel()
	}
}

// Deadline is when the time for the answer is over.
func (a *asked) Deadline() (time.Time, bool) { return a.until, true }

// Done is closed then, or when the run has ended.
func (a *asked) Done() <-chan struct{} { return a.real().Done() }

// Err says which it was.
func (a *asked) Err() error { return a.real().Err() }

// Value finds the run, and its values.
func (a *asked) Value(key any) any {
	if _, ok := key.(child.RuntimeKey); ok {
		return a.run
	}
	if inner := a.made(); inner != nil {
		return inner.Value(key)
	}
	return a.run.Value(key)
}
