//go:build unix

package supervisor_test

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/supervisor"
)

// cpuTime is what the process has used of its processors.
func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkWatched: what a hundred thousand children cost that do nothing but
// give signs of life, as a share of one processor. Beats come from one
// goroutine, so that it is the watching that is measured; a ping says yes.
func BenchmarkWatched(b *testing.B) {
	const n = 100_000
	for name, l := range map[string]child.Liveness{
		"unwatched":         {},
		"beat=8s":           {Timeout: 8 * time.Second},
		"beat=1s":           {Timeout: time.Second},
		"ping=2s":           {Ping: func(context.Context) error { return nil }},
		"ping=30s,beat=10s": {Ping: func(context.Context) error { return nil }, Interval: 30 * time.Second, Silence: 10 * time.Second},
	} {
		b.Run(fmt.Sprintf("children=%d/%s", n, name), func(b *testing.B) { benchWatched(b, n, l) })
	}
}

func benchWatched(b *testing.B, n int, l child.Liveness) {
	hearts := make([]atomic.Pointer[child.Heart], n)
	spec := supervisor.Spec{Name: "bench", StopTogether: true, Children: make([]child.Specer, n)}
	for i := range spec.Children {
		c := child.Spec{Name: "c" + strconv.Itoa(i), Liveness: l, Run: child.Func(func(ctx context.Context) error {
			hearts[i].Store(child.Pulse(ctx))
			return idle(ctx)
		})}
		if !l.IsZero() {
			c.Stuck = child.Escalate
		}
		spec.Children[i] = c
	}
	quit := beatAll(hearts, max(l.Timeout, l.Silence)/4)
	defer quit()
	sup, err := quiet.Start(b.Context(), spec)
	if err != nil {
		b.Fatal(err)
	}
	time.Sleep(time.Second / 2) // until all have come to rest
	before, began := cpuTime(b), time.Now()
	for b.Loop() {
		time.Sleep(3 * time.Second)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(100*float64(cpuTime(b)-before)/float64(time.Since(began)), "%core")
	for _, c := range sup.Snapshot().Root.Children {
		if c.Incarnation != 1 {
			b.Fatal("a child was taken for dead: ", c.Last().Exit)
		}
	}
	if err := sup.Stop(context.Background()); err != nil {
		b.Fatal(err)
	}
}

// beatAll beats all hearts at every pause, if there is one, until quit is
// called.
func beatAll(hearts []atomic.Pointer[child.Heart], pause time.Duration) (quit func()) {
	if pause == 0 {
		return func() {}
	}
	done := make(chan struct{})
	var beating sync.WaitGroup
	beating.Go(func() {
		for tick := time.NewTicker(pause); ; {
			select {
			case <-tick.C:
			case <-done:
				return
			}
			for i := range hearts {
				hearts[i].Load().Beat()
			}
		}
	})
	return func() { close(done); beating.Wait() }
}
