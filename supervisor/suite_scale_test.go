//go:build unix

package supervisor_test

import (
	"context"
	"errors"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/strategies"
	"github.com/coppice-go/coppice/supervisor"
)

// Ten times as many children cost nowhere near a hundred times as much of a
// processor.
func TestACostForEachChildThatDoesNotGrowWithTheirNumber(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes seconds")
	}
	ctx := context.Background()
	static := func(n int, run child.Func) supervisor.Spec {
		spec := supervisor.Spec{Name: "root", Intensity: strategies.OTP()}
		for i := range n {
			spec.Children = append(spec.Children, child.Spec{Name: strconv.Itoa(i), Run: run, Restart: child.Temporary})
		}
		return spec
	}
	acts := map[string]func(t *testing.T, n int) time.Duration{
		"start and stop": func(t *testing.T, n int) time.Duration {
			spec := static(n, idle)
			began := used(t)
			if err := start(t, spec).Stop(ctx); err != nil {
				t.Error(err)
			}
			return used(t) - began
		},
		"terminate": func(t *testing.T, n int) time.Duration {
			sup := start(t, supervisor.Spec{Name: "root", Template: many(false, nil)})
			var err error
			for range n {
				_, failed := sup.Ref().StartChild(ctx, nil)
				err = errors.Join(err, failed)
			}
			began := used(t)
			for i := range n {
				err = errors.Join(err, sup.Ref().TerminateChild(ctx, strconv.Itoa(i+1)))
			}
			took := used(t) - began
			if err = errors.Join(err, sup.Stop(ctx)); err != nil {
				t.Error(err)
			}
			return took
		},
		"exits of all at once": func(t *testing.T, n int) time.Duration {
			quit, left := make(chan struct{}), new(atomic.Int64)
			left.Store(int64(n))
			spec := static(n, func(context.Context) error { <-quit; return nil })
			spec.AutoShutdown = supervisor.AllSignificant // so that the last exit ends it
			for i, c := range spec.Children {
				c := c.(child.Spec)
				c.Significant = true
				spec.Children[i] = c
			}
			sup := start(t, spec)
			began := used(t)
			close(quit)
			if err := sup.Wait(); err != nil {
				t.Error(err)
			}
			return used(t) - began
		},
	}
	for name, act := range acts {
		t.Run(name, func(t *testing.T) {
			best := func(n int) time.Duration {
				took := act(t, n)
				for range 2 {
					took = min(took, act(t, n))
				}
				return took
			}
			few, all := best(500), best(5000)
			if all > 50*few {
				t.Errorf("%v for 500 children, %v for 5000", few, all)
			}
			t.Logf("%v for 500 children, %v for 5000", few, all)
		})
	}
}

// used is how much processor time this program has used: what others do on the
// machine does not count.
func used(t *testing.T) time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		t.Fatal(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
