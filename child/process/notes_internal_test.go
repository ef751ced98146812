package process

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// Launchpad's result never came.
func TestANotificationThatNeverReturnsFailsWhenItsTimeIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		h := newHandle(&proc{})
		began := time.Now()
		h.Notify(func(context.Context) error { <-release; return nil })
		h.Notify(func(context.Context) error { t.Error("the next one is run"); return nil })
		h.settle()
		if took := time.Since(began); took != HookTime || !errors.Is(h.reason(), context.DeadlineExceeded) {
			t.Errorf("after %v: %v", took, h.reason())
		}
		close(release)
	})
}
