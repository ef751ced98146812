//go:build unix

// Thousands runs as many processes as the limits of this system allow, kills
// one at random a hundred times, sees each come back, and stops them all. It
// fails if that took more threads than a handful.
//
//	go run ./examples/thousands                    # their output is captured
//	go run ./examples/thousands -output inherit    # it goes where ours goes
//	go run ./examples/thousands -n 500             # no more than that
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/child/process"
	"github.com/coppice-go/coppice/strategies"
	"github.com/coppice-go/coppice/supervisor"
)

func main() {
	n := flag.Int("n", 0, "how many processes; 0 is as many as the limits allow")
	output := flag.String("output", "capture", "where their output goes: capture or inherit")
	kills := flag.Int("kills", 100, "how many are killed")
	flag.Parse()
	ctx, restore := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer restore()
	if err := run(ctx, *n, *output == "inherit", *kills); err != nil {
		fmt.Fprintln(os.Stderr, "thousands:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, n int, inherit bool, kills int) error {
	if n == 0 {
		n = most(inherit)
	}
	sup, err := timed(fmt.Sprintf("%d processes started", n), n, func() (*supervisor.Supervisor, error) {
		return supervisor.Options{Logger: slog.New(slog.DiscardHandler)}.Start(ctx, tree(n, inherit))
	})
	if err != nil {
		return err
	}
	defer func() { _ = sup.Stop(context.Background()) }()
	running, err := list(sup)
	if err != nil {
		return err
	}
	if running != n {
		return fmt.Errorf("%d of %d processes are running", running, n)
	}
	if err := killAtRandom(ctx, sup, n, kills); err != nil {
		return err
	}
	used, bound := threads(), 2*runtime.GOMAXPROCS(0)+12
	fmt.Printf("%d threads, %d are allowed\n", used, bound)
	if _, err := timed("all stopped", n, func() (any, error) { return nil, sup.Stop(context.Background()) }); err != nil {
		return err
	}
	if used > bound {
		return fmt.Errorf("%d threads, %d are allowed", used, bound)
	}
	return nil
}

// most is as many processes as the limits allow, with some room left: captured,
// one takes a descriptor for itself and one for each stream.
func most(inherit bool) int {
	each, limit := 3, syscall.Rlimit{}
	if inherit {
		each = 1
	}
	_ = syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) // 0 is told below
	return max(1, (int(min(limit.Cur, 1<<20))-1000)/each)
}

// tree is n processes that wait, in one supervisor.
func tree(n int, inherit bool) supervisor.Spec {
	command := process.Command{Path: "sleep", Args: []string{"100000"}, Stdout: process.Output{Writer: io.Discard}}
	command.Stderr = process.Output{To: process.Keep}
	if inherit {
		command.Stdout, command.Stderr = process.Output{To: process.Inherit}, process.Output{To: process.Inherit}
	}
	spec := supervisor.Spec{
		Name: "thousands", StopTogether: true, Backoff: strategies.Backoff{Min: strategies.None},
		Intensity: strategies.Intensity{Restarts: strategies.Unlimited},
	}
	for i := range n {
		spec.Children = append(spec.Children, child.Spec{Name: strconv.Itoa(i), Run: command})
	}
	return spec
}

// list counts those that run.
func list(sup *supervisor.Supervisor) (running int, err error) {
	return timed("listed", 1, func() (int, error) {
		snapshot := sup.Snapshot()
		for s := range snapshot.Root.All() {
			if !s.Supervisor && s.State == supervisor.Running && s.Facts.PID > 0 {
				running++
			}
		}
		return running, nil
	})
}

// killAtRandom kills one of the processes, and again, and sees each come back.
func killAtRandom(ctx context.Context, sup *supervisor.Supervisor, n, kills int) error {
	_, err := timed(fmt.Sprintf("%d killed and back", kills), kills, func() (any, error) {
		for range kills {
			ref := sup.Find("thousands/" + strconv.Itoa(rand.IntN(n)))
			before, err := supervisor.Get[*process.Handle](ctx, ref)
			if err != nil {
				return nil, err
			}
			if err := before.Signal(process.Leader, syscall.SIGKILL); err != nil {
				return nil, err
			}
			for after := before; after == before; time.Sleep(100 * time.Microsecond) {
				if after, err = supervisor.Get[*process.Handle](ctx, ref); err != nil {
					return nil, err
				}
			}
		}
		return nil, nil
	})
	return err
}

// threads is how many this program has.
func threads() int {
	content, _ := os.ReadFile("/proc/self/status") // without it nothing can be said
	for line := range strings.Lines(string(content)) {
		if value, ok := strings.CutPrefix(line, "Threads:"); ok {
			n, _ := strconv.Atoi(strings.TrimSpace(value))
			return n
		}
	}
	return 0
}

// timed tells how long f took, and each of n.
func timed[T any](what string, n int, f func() (T, error)) (T, error) {
	began := time.Now()
	result, err := f()
	took := time.Since(began)
	if err == nil {
		fmt.Printf("%s in %v, %v each\n", what, took.Round(time.Millisecond), (took / time.Duration(n)).Round(time.Microsecond))
	}
	return result, err
}
