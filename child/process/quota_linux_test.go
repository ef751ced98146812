package process_test

import (
	"errors"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/child/process"
)

// overused waits until a run has ended by its quota.
func overused(t *testing.T, m *measured) (*process.QuotaError, child.Exit) {
	t.Helper()
	if !m.Join(30 * time.Second) {
		t.Fatal("it goes on")
	}
	err := <-m.exit
	var over *process.QuotaError
	if !errors.As(err, &over) {
		t.Fatalf("got %v", err)
	}
	return over, child.ExitOf(err)
}

func TestARunEndedByItsQuotaSaysMemoryOrCPU(t *testing.T) {
	t.Run("memory, of a child that has left the group", func(t *testing.T) {
		var out lines
		c := role("parent", &out)
		c.Quota = process.Quota{Memory: 100 * megabyte, Every: process.MinInterval}
		over, exit := overused(t, measure(t, c))
		if over.Resource != "memory" || over.Used <= over.Limit || over.Limit != 100*megabyte || over.Samples != 3 {
			t.Errorf("got %+v", over)
		}
		if exit.Kind != child.KilledByUs || exit.Reason != child.ByLimit || !strings.HasPrefix(exit.String(), "killed (limit): process: memory: ") {
			t.Errorf("got %v", exit)
		}
	})
	t.Run("cpu", func(t *testing.T) {
		var out lines
		c := role("burn", &out)
		c.Quota = process.Quota{CPU: 0.02, Every: process.MinInterval, Samples: 2} // there may be little for it
		over, exit := overused(t, measure(t, c))
		if over.Resource != "cpu" || over.Used <= over.Limit || over.Samples != 2 {
			t.Errorf("got %+v", over)
		}
		if exit.Reason != child.ByLimit || !strings.HasPrefix(exit.String(), "killed (limit): process: cpu: ") {
			t.Errorf("got %v", exit)
		}
	})
}

func TestAQuotaBeginsWithTheAbortLadder(t *testing.T) {
	var out lines
	c := role("eat", &out)
	c.Quota = process.Quota{Memory: 50 * megabyte, Every: process.MinInterval}
	c.Abort = process.Ladder{{Signal: syscall.SIGUSR1, To: process.Leader, Wait: 4 * time.Second}}
	overused(t, measure(t, c))
	if !strings.Contains(out.String(), "aborted") {
		t.Errorf("got %q", out.String())
	}
}

func TestAProcessWithinItsQuotaRunsOn(t *testing.T) {
	var out lines
	c := shell(t, "sleep 60", &out)
	c.Quota = process.Quota{Memory: 1000 * megabyte, CPU: 1, Every: process.MinInterval, Samples: 1}
	m := measure(t, c)
	if m.Join(5 * process.MinInterval) {
		t.Errorf("got %v", m.Err())
	}
	m.cancel()
	if err := <-m.exit; err != nil {
		t.Errorf("got %v", err)
	}
	eventually(t, "nobody samples when it has ended", func() bool { return !sampling() })
}

func TestAMistakeInAQuotaIsTold(t *testing.T) {
	for field, q := range map[string]process.Quota{
		"CPU": {CPU: -1}, "Every": {Every: time.Millisecond}, "Samples": {Samples: -1},
	} {
		err := process.Command{Path: "sh", Quota: q}.Validate()
		var mistake *process.FieldError
		if !errors.As(err, &mistake) || mistake.Field != "Command.Quota."+field {
			t.Errorf("%s: got %v", field, err)
		}
	}
}
