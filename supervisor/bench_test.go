package supervisor_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/strategies"
	"github.com/coppice-go/coppice/supervisor"
	"github.com/thejerf/suture/v4"
)

// The benchmarks put coppice, suture and the floor into one run, so that their
// ratios can be read from it. The raw loop is what somebody without a library
// writes: a goroutine that calls the function again, with a fresh context and
// a deferred recover.

// contender runs the services until stop is called.
type contender struct {
	name  string
	start func(b *testing.B, services []child.Service) (stop func())
}

var contenders = []contender{{"coppice", startCoppice}, {"suture", startSuture}, {"rawloop", startRawLoop}}

var errBench = errors.New("bench")

// loud is a logger at Info into nowhere.
var loud = slog.New(slog.NewTextHandler(io.Discard, &slog.HandlerOptions{Level: slog.LevelInfo}))

func startCoppice(b *testing.B, services []child.Service) func() {
	spec := supervisor.Spec{
		Name: "bench", Backoff: strategies.Backoff{Min: strategies.None},
		Intensity: strategies.Intensity{Restarts: 1 << 20, Period: 100 * time.Millisecond},
	}
	for i, s := range services {
		spec.Children = append(spec.Children, child.Spec{Name: fmt.Sprintf("c%d", i), Run: s})
	}
	ctx, cancel := context.WithCancel(context.Background())
	sup, err := supervisor.Options{Logger: loud}.Start(ctx, spec)
	if err != nil {
		b.Fatal(err)
	}
	var readers sync.WaitGroup
	readers.Go(func() {
		for range sup.Events(ctx, 0) {
		}
	})
	calls := measureCalls(sup)
	return func() {
		b.ReportMetric(float64(calls().Nanoseconds())/1e3, "call-p99-us")
		select {
		case <-sup.Done():
			b.Fatal("the supervisor gave up: ", sup.Wait())
		default:
		}
		cancel()
		if err := sup.Wait(); err != nil {
			b.Fatal(err)
		}
		readers.Wait()
	}
}

// measureCalls calls Count all along. Its answer ends that and is the 99th
// percentile of the calls' times.
func measureCalls(sup *supervisor.Supervisor) func() time.Duration {
	quit, times := make(chan struct{}), make(chan []time.Duration)
	go func() {
		var took []time.Duration
		tick := time.NewTicker(100 * time.Microsecond)
		defer tick.Stop()
		for {
			select {
			case <-quit:
				times <- took
				return
			case <-tick.C:
			}
			begin := time.Now()
			_, _ = sup.Ref().Count()
			took = append(took, time.Since(begin))
		}
	}()
	return func() time.Duration {
		close(quit)
		return percentile(<-times, 0.99)
	}
}

func percentile(times []time.Duration, p float64) time.Duration {
	if len(times) == 0 {
		return 0
	}
	slices.Sort(times)
	return times[int(float64(len(times)-1)*p)]
}

func startSuture(b *testing.B, services []child.Service) func() {
	sup := suture.New("bench", suture.Spec{EventHook: func(suture.Event) {}, FailureThreshold: 1e18})
	for _, s := range services {
		sup.Add(s)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := sup.ServeBackground(ctx)
	return func() {
		cancel()
		<-done
	}
}

func startRawLoop(_ *testing.B, services []child.Service) func() {
	ctx, cancel := context.WithCancel(context.Background())
	var loops sync.WaitGroup
	for _, s := range services {
		loops.Go(func() {
			for ctx.Err() == nil {
				rawRun(ctx, s)
			}
		})
	}
	return func() {
		cancel()
		loops.Wait()
	}
}

func rawRun(ctx context.Context, s child.Service) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer func() { _ = recover() }()
	_ = s.Serve(ctx)
}

// failing is a service that fails at once, quota times, and then waits.
type failing struct {
	gate  <-chan struct{}
	done  *sync.WaitGroup
	fail  func(context.Context) error
	quota int
}

func (f *failing) Serve(ctx context.Context) error {
	if f.quota < 0 {
		<-f.gate
		f.quota = -f.quota
	}
	if f.quota--; f.quota > 0 {
		return f.fail(ctx)
	}
	if f.quota == 0 {
		f.done.Done()
	}
	<-ctx.Done()
	return nil
}

// looks looks at its context once before it fails.
func looks(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	default:
		return errBench
	}
}

func benchRestarts(b *testing.B, children int, c contender, fail func(context.Context) error) {
	gate := make(chan struct{})
	var done sync.WaitGroup
	services := make([]child.Service, children)
	for i := range services {
		done.Add(1)
		services[i] = &failing{gate: gate, done: &done, fail: fail, quota: -(b.N/children + 1)}
	}
	stop := c.start(b, services)
	b.ReportAllocs()
	b.ResetTimer()
	close(gate)
	done.Wait()
	b.StopTimer()
	stop()
}

func benchContenders(b *testing.B, fail func(context.Context) error, sizes ...int) {
	for _, children := range sizes {
		for _, c := range contenders {
			b.Run(fmt.Sprintf("children=%d/%s", children, c.name), func(b *testing.B) {
				benchRestarts(b, children, c, fail)
			})
		}
	}
}

// BenchmarkRestart: a child that looks at its context once and fails.
func BenchmarkRestart(b *testing.B) { benchContenders(b, looks, 1, 1000) }

// BenchmarkRestartBare: a child that fails without a look.
func BenchmarkRestartBare(b *testing.B) {
	benchContenders(b, func(context.Context) error { return errBench }, 1, 1000)
}

// BenchmarkPanic: a child that panics; coppice and suture keep its stack.
func BenchmarkPanic(b *testing.B) {
	for _, c := range contenders {
		b.Run(c.name, func(b *testing.B) {
			benchRestarts(b, 1, c, func(context.Context) error { panic(errBench) })
		})
	}
}

// BenchmarkCrashLatency: the time from a crash to the next run's first
// instruction, among a thousand idle children.
func BenchmarkCrashLatency(b *testing.B) {
	for _, c := range contenders {
		b.Run(c.name, func(b *testing.B) {
			crash := make(chan struct{})
			began := make(chan time.Time)
			services := make([]child.Service, 1001)
			for i := range services {
				services[i] = child.Func(func(ctx context.Context) error { <-ctx.Done(); return nil })
			}
			var crashed time.Time
			services[0] = child.Func(func(ctx context.Context) error {
				select {
				case began <- time.Now():
				case <-ctx.Done():
					return nil
				}
				select {
				case <-crash:
				case <-ctx.Done():
					return nil
				}
				crashed = time.Now()
				return errBench
			})
			stop := c.start(b, services)
			<-began
			took := make([]time.Duration, 0, b.N)
			b.ResetTimer()
			for range b.N {
				crash <- struct{}{}
				at := <-began
				took = append(took, at.Sub(crashed))
			}
			b.StopTimer()
			stop()
			b.ReportMetric(float64(percentile(took, 0.5).Nanoseconds()), "p50-ns")
		})
	}
}
