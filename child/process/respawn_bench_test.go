//go:build linux

package process_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/child/process"
	"github.com/coppice-go/coppice/strategies"
	"github.com/coppice-go/coppice/supervisor"
)

const (
	pairs = 10                    // of rounds, coppice's and the loop's
	kills = 60                    // in a round
	lives = 20 * time.Millisecond // of a child before it is killed
)

// BenchmarkRespawn measures the time from the SIGKILL of a process to the first
// instruction of its successor, next to a loop in C. Rounds of both alternate,
// so that whatever else the machine does hits both.
func BenchmarkRespawn(b *testing.B) {
	program := filepath.Join(b.TempDir(), "respawn")
	if out, err := exec.Command("cc", "-O2", "-o", program, "testdata/respawn.c").CombinedOutput(); err != nil {
		b.Skipf("it needs a C compiler: %v\n%s", err, out)
	}
	for _, c := range []struct{ name, role string }{{"pairs", "child"}, {"grandchild", "parent"}} {
		b.Run(c.name, func(b *testing.B) {
			for range b.N {
				respawn(b, program, c.role)
			}
		})
	}
}

func respawn(b *testing.B, program, role string) {
	var ours, floor []time.Duration
	var ratios []float64
	for range pairs {
		a, c := underCoppice(b, program, role), underLoop(b, program)
		ours, floor = append(ours, a...), append(floor, c...)
		ratios = append(ratios, float64(middle(a))/float64(middle(c)))
	}
	slices.Sort(ratios)
	b.ReportMetric(ratios[len(ratios)/2], "x-cloop")
	b.ReportMetric(float64(middle(ours).Microseconds()), "coppice-p50-us")
	b.ReportMetric(float64(middle(floor).Microseconds()), "cloop-p50-us")
	b.ReportMetric(0, "ns/op")
}

func middle(all []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}

// underCoppice is a round under a tree that captures the output.
func underCoppice(b *testing.B, program, role string) []time.Duration {
	r, w := io.Pipe()
	sup, err := supervisor.Options{Logger: slog.New(slog.DiscardHandler)}.Start(b.Context(), supervisor.Spec{
		Name: "root", Intensity: strategies.Intensity{Restarts: strategies.Unlimited}, Backoff: strategies.Backoff{Min: strategies.None},
		Children: []child.Specer{child.Spec{Name: "child", Run: process.Command{
			Path: program, Args: []string{role}, Stdout: process.Output{Writer: w},
		}}},
	})
	if err != nil {
		b.Fatal(err)
	}
	defer func() {
		go func() { _, _ = io.Copy(io.Discard, r) }()
		_ = sup.Stop(context.Background())
		_ = w.Close()
	}()
	return round(b, r)
}

// underLoop is a round under the loop in C.
func underLoop(b *testing.B, program string) []time.Duration {
	loop := exec.Command(program, "loop", program, "child")
	loop.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := loop.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := loop.Start(); err != nil {
		b.Fatal(err)
	}
	defer func() {
		_ = syscall.Kill(-loop.Process.Pid, syscall.SIGKILL)
		_ = loop.Wait()
	}()
	return round(b, out)
}

// round kills the child that has told of itself, again and again.
func round(b *testing.B, from io.Reader) (took []time.Duration) {
	lines := bufio.NewReader(from)
	killed := int64(0)
	for range kills + 1 {
		line, err := lines.ReadString('\n')
		if err != nil {
			b.Fatal(err)
		}
		var pid int
		var began int64
		if _, err := fmt.Sscan(line, &pid, &began); err != nil {
			b.Fatalf("%q: %v", line, err)
		}
		if killed != 0 {
			took = append(took, time.Duration(began-killed))
		}
		time.Sleep(lives)
		killed = monotonic(b)
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			b.Fatal(err)
		}
	}
	return took
}

func monotonic(b *testing.B) int64 {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		b.Fatal(err)
	}
	return now.Nano()
}
