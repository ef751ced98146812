//go:build linux

package process_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
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
	"github.com/coppice-go/coppice/child/process"
	"github.com/coppice-go/coppice/supervisor"
)

// talks prints 200 bytes on each of its streams and waits.
const talks = `l=0123456789012345678901234567890123456789012345678; printf '%s\n%s\n%s\n%s\n' $l $l $l $l; printf '%s\n%s\n%s\n%s\n' $l $l $l $l >&2; echo ready; exec sleep 1000`

// many is what one round of BenchmarkMany has found.
type many struct{ Threads, Bytes, Start, Reap float64 }

// BenchmarkMany starts many processes with both streams captured, in a fresh
// process for each figure: what one has left behind is memory of the other.
func BenchmarkMany(b *testing.B) {
	for _, n := range []int{1000, 5000} {
		for _, who := range []string{"coppice", "osexec"} {
			b.Run(fmt.Sprintf("processes=%d/%s", n, who), func(b *testing.B) {
				for range b.N {
					m := inAFreshProcess(b, who, n)
					b.ReportMetric(m.Threads, "threads")
					b.ReportMetric(m.Bytes, "B/process")
					b.ReportMetric(m.Start, "start-us/process")
					b.ReportMetric(m.Reap, "reap-us/process")
					b.ReportMetric(0, "ns/op")
				}
			})
		}
	}
}

func inAFreshProcess(b *testing.B, who string, n int) (m many) {
	b.Helper()
	copy := exec.Command(os.Args[0], "-test.run=^TestManyInAFreshProcess$")
	copy.Env = append(os.Environ(), "COPPICE_MANY="+who, "COPPICE_MANY_N="+strconv.Itoa(n))
	copy.Stderr = os.Stderr
	out, err := copy.Output()
	if err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	line, _, _ := bytes.Cut(out, []byte("\n"))
	if err := json.Unmarshal(line, &m); err != nil {
		b.Fatalf("%q: %v", out, err)
	}
	return m
}

// TestManyInAFreshProcess is the fresh process.
func TestManyInAFreshProcess(t *testing.T) {
	n, err := strconv.Atoi(os.Getenv("COPPICE_MANY_N"))
	if err != nil {
		n = 20 // alone it is a small test of both
	}
	for who, run := range map[string]func(*testing.T, int) many{"coppice": manyUnderCoppice, "osexec": manyUnderExec} {
		if is := os.Getenv("COPPICE_MANY"); is != "" && is != who {
			continue
		}
		run(t, 1) // what the first one takes is not taken by each
		found, _ := json.Marshal(run(t, n))
		fmt.Println(string(found))
	}
}

// heard waits until n processes have said that they are ready.
type heard struct{ ready chan struct{} }

func (h heard) Write(p []byte) (int, error) {
	for range bytes.Count(p, []byte("ready")) {
		h.ready <- struct{}{}
	}
	return len(p), nil
}

func (h heard) wait(n int) {
	for range n {
		<-h.ready
	}
}

func manyUnderCoppice(t *testing.T, n int) (m many) {
	h := heard{make(chan struct{}, n)}
	spec := supervisor.Spec{Name: "many", StopTogether: true}
	for i := range n {
		spec.Children = append(spec.Children, child.Spec{Name: strconv.Itoa(i), Run: process.Command{
			Path: "/bin/sh", Args: []string{"-c", talks},
			Stdout: process.Output{Writer: h}, Stderr: process.Output{Writer: io.Discard},
		}})
	}
	sup, err := supervisor.Options{Logger: slog.New(slog.DiscardHandler)}.New(spec)
	if err != nil {
		t.Fatal(err)
	}
	before, began := resident(t), time.Now()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- sup.Serve(ctx) }()
	h.wait(n)
	m.Start = per(n, time.Since(began))
	m.Bytes, m.Threads = (resident(t)-before)/float64(n), threads(t)
	began = time.Now()
	cancel()
	<-done
	m.Reap = per(n, time.Since(began))
	return m
}

func manyUnderExec(t *testing.T, n int) (m many) {
	h := heard{make(chan struct{}, n)}
	all := make([]*exec.Cmd, n)
	for i := range all {
		all[i] = exec.Command("/bin/sh", "-c", talks)
		all[i].Stdout, all[i].Stderr = h, writes{}
	}
	before, began := resident(t), time.Now()
	var ended sync.WaitGroup
	for _, c := range all {
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		ended.Go(func() { _ = c.Wait() })
	}
	h.wait(n)
	m.Start = per(n, time.Since(began))
	m.Bytes, m.Threads = (resident(t)-before)/float64(n), threads(t)
	began = time.Now()
	for _, c := range all {
		_ = c.Process.Kill()
	}
	ended.Wait()
	m.Reap = per(n, time.Since(began))
	return m
}

// writes is no file, so that os/exec captures what is written to it.
type writes struct{}

func (writes) Write(p []byte) (int, error) { return len(p), nil }

func per(n int, d time.Duration) float64 { return float64(d.Microseconds()) / float64(n) }

// resident is our resident memory in bytes, after a collection.
func resident(t *testing.T) float64 {
	runtime.GC()
	debug.FreeOSMemory()
	return status(t, "VmRSS:") * 1024
}

func threads(t *testing.T) float64 { return status(t, "Threads:") }

func status(t *testing.T, key string) float64 {
	content, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip("it is told in /proc: ", err)
	}
	for line := range strings.Lines(string(content)) {
		if value, ok := strings.CutPrefix(line, key); ok {
			n, err := strconv.ParseFloat(strings.Fields(value)[0], 64)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	t.Fatal("no " + key)
	return 0
}
