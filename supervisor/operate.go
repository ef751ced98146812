package supervisor

import (
	"context"
	"sync"

	"github.com/coppice-go/coppice/supervisor/internal/machine"
)

// Hold stops the child at r, as TerminateChild does, and keeps it stopped:
// neither a restart of its group nor the rebuilding of a supervisor above
// starts it again, only RestartChild or Bounce. A child that loses its place
// when it is stopped is not held, nor is one whose place is deleted.
func (r Ref) Hold(ctx context.Context) error {
	const call = "hold"
	at, err := r.resolve()
	switch {
	case err != nil:
		return &CallError{call, r.path, err}
	case at.above == nil:
		return &CallError{call, r.path, ErrRootBounce}
	}
	return callError(call, r.path, at.above.ask(ctx, &machine.Request{Op: machine.Hold, Name: at.name}))
}

// Roll restarts the children of the supervisor at r one after the other in
// start order, or n at a time if n is more than one: each is bounced, and the
// next only when the start of that is complete. It stops at the first that does
// not start, with what that answers; those behind it are not touched. What is
// down stays down. It returns when
// all that it began is over, or ctx ends.
func (r Ref) Roll(ctx context.Context, n int) error {
	const call = "roll"
	children, err := r.Children()
	if err != nil {
		return &CallError{call, r.path, err}
	}
	rolling, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	turn := make(chan struct{}, max(n, 1))
	var bounces sync.WaitGroup
	for i := range children {
		if children[i].State == Down {
			continue
		}
		turn <- struct{}{}
		if rolling.Err() != nil {
			break
		}
		bounces.Go(func() {
			if err := r.Child(children[i].Name).Bounce(ctx); err != nil {
				cancel(err)
			}
			<-turn
		})
	}
	bounces.Wait()
	return callError(call, r.path, context.Cause(rolling))
}
