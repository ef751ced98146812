//go:build unix

package process_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/child/process"
)

// writerFunc is a consumer.
type writerFunc func(b []byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

// killLater kills the process whose number the output begins with, and waits
// until it is gone or a zombie.
func killLater(t *testing.T, out *lines) {
	t.Helper()
	first, _, _ := strings.Cut(out.String(), "\n")
	pid, err := strconv.Atoi(first)
	if err != nil {
		t.Errorf("no number: %v", err)
		return
	}
	t.Cleanup(func() { _ = syscall.Kill(pid, syscall.SIGKILL) })
	if err := syscall.Kill(pid, 0); err != nil {
		t.Errorf("who was to hold the pipe is gone: %v", err)
	}
}

func TestNothingThatHoldsThePipeDelaysTheExit(t *testing.T) {
	for name, tt := range map[string]struct {
		script string
		leave  bool
		tool   string
	}{
		"one of its group that is left alone":  {script: "sleep 300 & echo $!; echo hi; exit 3", leave: true, tool: "sleep"},
		"one that left with a session":         {script: `setsid sh -c 'echo $$; exec sleep 300' & sleep 0.2; echo hi; exit 3`, tool: "setsid"},
		"one that left and goes on printing":   {script: `setsid sh -c 'echo $$; while :; do echo more; done' & sleep 0.2; echo hi; exit 3`, tool: "setsid"},
		"one that holds the error output only": {script: "sleep 300 >/dev/null & echo $!; echo hi; exit 3", leave: true, tool: "sleep"},
	} {
		t.Run(name, func(t *testing.T) {
			needTools(t, tt.tool)
			var out lines
			c := shell(t, tt.script, &out)
			if tt.leave {
				c.Leftovers = process.LeaveThem
			}
			c.Orphan = process.LiveOn
			var err error
			within(t, 10*time.Second, "the exit", func() { err = c.Serve(t.Context()) })
			killLater(t, &out)
			if got := child.ExitOf(err).ExitStatus(); got != 3 {
				t.Errorf("got %v", err)
			}
			if !strings.Contains(out.String(), "\nhi\n") {
				t.Errorf("what was printed before the exit is lost: %.200q", out.String())
			}
		})
	}
}

func TestNoByteIsLostAtTheExit(t *testing.T) {
	needTools(t, "seq")
	var want bytes.Buffer
	for i := range 20000 {
		want.WriteString(strconv.Itoa(i+1) + "\n")
	}
	for i := range 50 {
		var out lines
		c := process.Command{Path: "seq", Args: []string{"1", "20000"}, Stdout: process.Output{Writer: &out, Raw: i%2 == 0}}
		if err := c.Serve(t.Context()); err != nil {
			t.Fatal(err)
		}
		arrives(t, &out, want.String())
	}
}

// A program whose reader has gone would be ended by SIGPIPE.
func TestAProgramWhoseOutputIsNotTakenIsNotHarmed(t *testing.T) {
	const script = `i=0; while [ $i -lt 3000 ]; do echo "a line that is longer than the others: $i"; i=$((i+1)); done; exit 5`
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err == nil {
		defer full.Close()
	}
	for name, w := range map[string]writerFunc{
		"the consumer fails":    func([]byte) (int, error) { return 0, errors.New("no") },
		"the consumer is short": func(b []byte) (int, error) { return len(b) / 2, nil },
		"the disk is full": func(b []byte) (int, error) {
			if full == nil {
				return 0, syscall.ENOSPC
			}
			return full.Write(b)
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := shell(t, script, nil)
			c.Stdout, c.Stderr = process.Output{Writer: w}, process.Output{}
			r := serving(t, c)
			if got := child.ExitOf(r.end()).ExitStatus(); got != 5 {
				t.Errorf("got %v", r.outcome)
			}
			comesTrue(t, "the loss is told", func() bool { return strings.Contains(r.log.String(), `"lines":3000`) })
			if got := r.log.String(); strings.Count(got, "output was not taken") != 1 || strings.Count(got, `"output was lost"`) != 1 {
				t.Errorf("the loss is told in\n%s", got)
			}
		})
	}
}

func TestAConsumerThatBlocksDoesNotHoldUpTheExit(t *testing.T) {
	release := make(chan struct{})
	var taken atomic.Int64
	c := shell(t, "echo one; echo two; exit 4", nil)
	c.Stdout = process.Output{Writer: writerFunc(func(b []byte) (int, error) {
		<-release
		taken.Add(int64(len(b)))
		return len(b), nil
	})}
	r := serving(t, c)
	within(t, 5*time.Second, "the exit", func() { <-r.done })
	if got := child.ExitOf(r.outcome).ExitStatus(); got != 4 {
		t.Errorf("got %v", r.outcome)
	}
	var out lines
	within(t, 5*time.Second, "another's run", func() { _ = shell(t, "echo free", &out).Serve(t.Context()) })
	if out.String() != "free\n" {
		t.Errorf("the other printed %q", out.String())
	}
	close(release)
	comesTrue(t, "the lines are delivered later", func() bool { return taken.Load() == int64(len("one\ntwo\n")) })
}

func TestAConsumerThatFailsPanicsOrExitsItsGoroutineIsContained(t *testing.T) {
	for name, fail := range map[string]func() (int, error){
		"fails":               func() (int, error) { return 0, errors.New("no") },
		"panics":              func() (int, error) { panic("no") },
		"exits its goroutine": func() (int, error) { runtime.Goexit(); return 0, nil },
	} {
		for _, drop := range []bool{false, true} {
			t.Run(name+map[bool]string{true: ", behind a queue"}[drop], func(t *testing.T) {
				var out lines
				calls := 0
				c := shell(t, "echo 1; echo 2; echo 3; exit 6", nil)
				c.Stdout = process.Output{Drop: drop, Writer: writerFunc(func(b []byte) (int, error) {
					if calls++; calls == 2 {
						return fail()
					}
					return out.Write(b)
				})}
				r := serving(t, c)
				if got := child.ExitOf(r.end()).ExitStatus(); got != 6 {
					t.Errorf("got %v", r.outcome)
				}
				arrives(t, &out, "1\n3\n")
				comesTrue(t, "the loss is told", func() bool { return strings.Contains(r.log.String(), `"lines":1`) })
				if got := r.log.String(); strings.Count(got, "output was not taken") != 1 {
					t.Errorf("the loss is told in\n%s", got)
				}
			})
		}
	}
}

func TestBothStreamsInOnePipeKeepTheirOrder(t *testing.T) {
	const script = `i=0; while [ $i -lt 500 ]; do echo o$i; echo e$i >&2; i=$((i+1)); done`
	var want strings.Builder
	for i := range 500 {
		want.WriteString("o" + strconv.Itoa(i) + "\ne" + strconv.Itoa(i) + "\n")
	}
	var out lines
	if err := shell(t, script, &out).Serve(t.Context()); err != nil {
		t.Fatal(err)
	}
	arrives(t, &out, want.String()) // with one writer
	c := shell(t, script, nil)
	c.Stdout, c.Stderr = process.Output{To: process.Keep, Label: "both"}, process.Output{To: process.Keep, Label: "both"}
	var got strings.Builder
	r := serving(t, c)
	missed := uint64(0)
	for line := range r.Lines(context.Background(), "both") {
		got.WriteString(line.Text + "\n")
		missed += line.Missed
	}
	if missed == 0 && !strings.HasSuffix(want.String(), got.String()) {
		t.Error("with one label they are out of order")
	}
}

func TestAFloodIsBoundedAndCounted(t *testing.T) {
	needTools(t, "yes")
	for name, o := range map[string]process.Output{
		"by a rate":                   {Rate: 100},
		"by dropping what is late":    {Drop: true},
		"by letting the program wait": {},
	} {
		t.Run(name, func(t *testing.T) {
			var got atomic.Int64
			slow := !o.Drop && o.Rate == 0
			o.Writer = writerFunc(func(b []byte) (int, error) {
				if got.Add(1); o.Rate == 0 {
					time.Sleep(time.Millisecond)
				}
				return len(b), nil
			})
			r := serving(t, process.Command{Path: "yes", Stdout: o})
			time.Sleep(300 * time.Millisecond)
			if err := r.ended(); err != nil {
				t.Errorf("got %v", err)
			}
			if n := got.Load(); n == 0 || o.Rate > 0 && n > 300 {
				t.Errorf("%d lines were delivered", n)
			}
			told := func() bool { return strings.Contains(r.log.String(), "output was lost") }
			if slow && told() {
				t.Errorf("something is lost: %s", r.log.String())
			}
			if !slow {
				comesTrue(t, "the loss is told", told)
			}
		})
	}
}

func TestAListenerThatIsSlowMissesLinesAndIsTold(t *testing.T) {
	needTools(t, "seq")
	r := serving(t, process.Command{Path: "sh", Args: []string{"-c", "seq 1 20000; exec sleep 300"}, Stdout: process.Output{To: process.Keep}})
	var next, missed uint64 = 1, 0
	for line := range r.Lines(t.Context(), "") {
		missed += line.Missed
		if next > 1 && line.Seq != next+line.Missed {
			t.Fatalf("line %d came after %d and %d missed ones", line.Seq, next-1, line.Missed)
		}
		if next = line.Seq + 1; line.Text == "20000" {
			break
		}
		time.Sleep(10 * time.Microsecond)
	}
	t.Logf("%d were missed", missed)
}
