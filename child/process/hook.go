package process

import (
	"context"
	"fmt"
	"time"

	"github.com/coppice-go/coppice/child"
)

// A Hook is a function of the user's that is called before a start or after an
// end. It gets a context that ends after [HookTime]; a hook that has not
// returned by then counts as failed, and is left behind. The handle is nil
// before a start.
type Hook func(ctx context.Context, h *Handle) error

// HookTime is how long a [Hook] may take.
const HookTime = 30 * time.Second

// String is the name of the function.
func (h Hook) String() string { return child.NameOf((func(context.Context, *Handle) error)(h)) }

// call calls the hook in a goroutine of its own, which may panic, end or hang.
func (h Hook) call(ctx context.Context, handle *Handle) error {
	if h == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, HookTime)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		var exit child.Exit
		defer func() { done <- exit.AsError() }() // also after a Goexit
		child.Serve(ctx, child.Func(func(ctx context.Context) error { return h(ctx, handle) }), &exit, false)
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("process: a hook has not returned: %w", context.Cause(ctx))
	}
}
