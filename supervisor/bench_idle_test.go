package supervisor_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/strategies"
	"github.com/coppice-go/coppice/supervisor"
	"github.com/thejerf/suture/v4"
)

// A memory figure is taken in a fresh process, the test binary itself: in one
// process the same code measures differently by order alone.

const idleVariable = "COPPICE_BENCH_IDLE"

// idleResult is what the fresh process prints.
type idleResult struct {
	Start, Stop, List time.Duration
	Bytes             int64 // growth of the resident set
}

// idler runs n idle children. Its specs are built before the first reading.
type idler struct {
	build func(n int) (start func(), stop func(), list func())
}

var idlers = map[string]idler{
	"coppice": {idleCoppice}, "suture": {idleSuture}, "rawloop": {idleRawLoop}, "handshake": {idleHandshake},
}

func idleService(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

func idleCoppice(n int) (start, stop, list func()) {
	spec := supervisor.Spec{Name: "idle", Children: make([]child.Specer, n)}
	for i := range spec.Children {
		spec.Children[i] = child.Spec{Name: "c" + strconv.Itoa(i), Run: child.Func(idleService)}
	}
	var sup *supervisor.Supervisor
	start = func() {
		var err error
		sup, err = supervisor.Options{Logger: slog.New(slog.DiscardHandler)}.Start(context.Background(), spec)
		if err != nil {
			panic(err)
		}
	}
	stop = func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
		defer cancel()
		if err := sup.Stop(ctx); err != nil {
			panic(err)
		}
	}
	return start, stop, func() {
		if all, err := sup.Ref().Children(); err != nil || len(all) != n {
			panic(fmt.Sprint(len(all), err))
		}
	}
}

func idleSuture(n int) (start, stop, list func()) {
	services := make([]suture.Service, n)
	for i := range services {
		services[i] = child.Func(idleService)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var done <-chan error
	start = func() {
		sup := suture.New("idle", suture.Spec{EventHook: func(suture.Event) {}, Timeout: time.Hour})
		for _, s := range services {
			sup.Add(s)
		}
		done = sup.ServeBackground(ctx)
		_ = sup.Services() // answered when all have been started
	}
	return start, func() { cancel(); <-done }, func() {}
}

func idleRawLoop(n int) (start, stop, list func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var loops sync.WaitGroup
	start = func() {
		loops.Add(n)
		for range n {
			go func() {
				defer loops.Done()
				for ctx.Err() == nil {
					rawRun(ctx, child.Func(idleService))
				}
			}()
		}
	}
	return start, func() { cancel(); loops.Wait() }, func() {}
}

// idleHandshake is a bare ordered stop: each goroutine is told by a channel
// and answers by another.
func idleHandshake(n int) (start, stop, list func()) {
	type pair struct{ told, ended chan struct{} }
	pairs := make([]pair, n)
	start = func() {
		for i := range pairs {
			p := pair{make(chan struct{}), make(chan struct{})}
			pairs[i] = p
			go func() { <-p.told; close(p.ended) }()
		}
	}
	return start, func() {
		for i := len(pairs) - 1; i >= 0; i-- {
			close(pairs[i].told)
			<-pairs[i].ended
		}
	}, func() {}
}

// TestIdleProcess is no test but the fresh process of the idle benchmarks.
func TestIdleProcess(t *testing.T) {
	name, number, ok := strings.Cut(os.Getenv(idleVariable), "/")
	if !ok {
		t.Skip("it is the process of BenchmarkIdle")
	}
	n, err := strconv.Atoi(number)
	if err != nil {
		t.Fatal(err)
	}
	start, stop, list := idlers[name].build(n)
	goroutines := runtime.NumGoroutine()
	debug.FreeOSMemory()
	before, began := resident(), time.Now()
	start()
	result := idleResult{Start: time.Since(began)}
	for runtime.NumGoroutine() < goroutines+n {
		time.Sleep(time.Millisecond) // until all have come to rest
	}
	time.Sleep(100 * time.Millisecond)
	debug.FreeOSMemory()
	result.Bytes = resident() - before
	began = time.Now()
	list()
	result.List = time.Since(began)
	began = time.Now()
	stop()
	result.Stop = time.Since(began)
	_ = json.NewEncoder(os.Stdout).Encode(result)
	os.Stdout.WriteString("\n")
}

// resident is the resident set in bytes.
func resident() int64 {
	data, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	var size, pages int64
	_, _ = fmt.Sscan(string(data), &size, &pages)
	return pages * int64(os.Getpagesize())
}

func idleProcess(b *testing.B, name string, n int) (r idleResult) {
	cmd := exec.Command(os.Args[0], "-test.run=^TestIdleProcess$", "-test.v=false", "-test.timeout=10m")
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s/%d", idleVariable, name, n))
	out, err := cmd.Output()
	if err != nil {
		b.Fatal(err, string(out))
	}
	if err := json.NewDecoder(strings.NewReader(string(out))).Decode(&r); err != nil {
		b.Fatal(err, string(out))
	}
	return r
}

func benchIdle(b *testing.B, n int, names ...string) {
	if _, err := os.Stat("/proc/self/statm"); err != nil {
		b.Skip("the resident set is read from /proc: ", err)
	}
	for _, name := range names {
		b.Run(fmt.Sprintf("children=%d/%s", n, name), func(b *testing.B) {
			var sum idleResult
			for range b.N {
				r := idleProcess(b, name, n)
				sum.Start += r.Start
				sum.Stop += r.Stop
				sum.List += r.List
				sum.Bytes += r.Bytes
			}
			each := float64(b.N) * float64(n)
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(sum.Start)/each, "start-ns/child")
			b.ReportMetric(float64(sum.Stop)/each, "stop-ns/child")
			b.ReportMetric(float64(sum.Bytes)/each, "B/child")
			if sum.List > 0 && name == "coppice" {
				b.ReportMetric(float64(sum.List)/each, "list-ns/child")
			}
		})
	}
}

// BenchmarkIdle: a hundred thousand idle children start, weigh, and stop.
func BenchmarkIdle(b *testing.B) {
	benchIdle(b, 100_000, "coppice", "suture", "rawloop", "handshake")
}

// BenchmarkIdleMillion: a million idle children start, are listed and stop.
func BenchmarkIdleMillion(b *testing.B) { benchIdle(b, 1_000_000, "coppice", "rawloop") }

// BenchmarkOneForAll: one of a thousand fails, all are stopped and started.
func BenchmarkOneForAll(b *testing.B) {
	const n = 1000
	b.Run(fmt.Sprintf("children=%d/coppice", n), func(b *testing.B) {
		crash, began := make(chan struct{}), make(chan struct{}, 1)
		spec := supervisor.Spec{
			Name: "bench", Strategy: strategies.OneForAll, Backoff: strategies.Backoff{Min: strategies.None},
			Intensity: strategies.Intensity{Restarts: 1 << 20, Period: 100 * time.Millisecond},
		}
		for i := range n - 1 {
			spec.Children = append(spec.Children, child.Spec{Name: "c" + strconv.Itoa(i), Run: child.Func(idleService)})
		}
		spec.Children = append(spec.Children, child.Spec{Name: "last", Run: child.Func(func(ctx context.Context) error {
			began <- struct{}{}
			select {
			case <-crash:
				return errBench
			case <-ctx.Done():
				return nil
			}
		})})
		sup, err := supervisor.Options{Logger: loud}.Start(context.Background(), spec)
		if err != nil {
			b.Fatal(err)
		}
		<-began
		b.ResetTimer()
		for range b.N {
			crash <- struct{}{}
			<-began
		}
		b.StopTimer()
		if err := sup.Stop(context.Background()); err != nil {
			b.Fatal(err)
		}
	})
	b.Run(fmt.Sprintf("children=%d/handshake", n), func(b *testing.B) {
		for range b.N {
			start, stop, _ := idleHandshake(n)
			start()
			stop()
		}
	})
}
