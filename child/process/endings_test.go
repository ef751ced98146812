//go:build linux

package process_test

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/child/process"
	"github.com/coppice-go/coppice/strategies"
	"github.com/coppice-go/coppice/supervisor"
)

// runsOf is how often a child runs of which each run ends as the script says,
// at most three times.
func runsOf(t *testing.T, restart child.Restart, script string, e process.Endings) (runs int32) {
	t.Helper()
	var started atomic.Int32
	third := make(chan struct{})
	c := shell(t, script, new(lines))
	c.Endings = e
	c.Before = func(ctx context.Context, _ *process.Handle) error {
		if started.Add(1) == 3 {
			close(third)
			<-ctx.Done() // by the stop
		}
		return nil
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	sup, err := supervisor.Options{Logger: slog.New(slog.DiscardHandler)}.Start(ctx, supervisor.Spec{
		Name: "root", Intensity: strategies.Intensity{Restarts: strategies.Unlimited},
		Backoff:  strategies.Backoff{Min: strategies.None},
		Children: []child.Specer{child.Spec{Name: "c", Run: c, Restart: restart}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer stopped(t, sup)
	comesTrue(t, "a rest", func() bool {
		select {
		case <-third:
			return true
		default:
		}
		all := sup.Snapshot().Root.Children
		return len(all) == 0 || all[0].State == supervisor.Down
	})
	return started.Load()
}

func TestEndingsSettleWhetherAProcessIsRestarted(t *testing.T) {
	const code, killed = "exit 7", "kill -KILL $$"
	seven, kill := []process.Status{{Code: 7}}, []process.Status{{Signal: syscall.SIGKILL}}
	for name, tt := range map[string]struct {
		restart child.Restart
		script  string
		endings process.Endings
		again   bool
	}{
		"a failure":                                   {child.Transient, code, process.Endings{}, true},
		"a clean code":                                {child.Transient, code, process.Endings{Clean: seven}, false},
		"a clean signal":                              {child.Transient, killed, process.Endings{Clean: kill}, false},
		"another code than the clean one":             {child.Transient, "exit 8", process.Endings{Clean: seven}, true},
		"the code that a shell makes of a signal":     {child.Transient, "exit 137", process.Endings{Clean: kill}, true},
		"a code that prevents a permanent's restart":  {child.Permanent, code, process.Endings{Prevent: seven}, false},
		"a signal that prevents it":                   {child.Permanent, killed, process.Endings{Prevent: kill}, false},
		"a code that forces a temporary's restart":    {child.Temporary, code, process.Endings{Force: seven}, true},
		"a signal that forces it":                     {child.Temporary, killed, process.Endings{Force: kill}, true},
		"a success that forces a transient's restart": {child.Transient, "exit 0", process.Endings{Force: []process.Status{{}}}, true},
		"a success that prevents a permanent's":       {child.Permanent, "exit 0", process.Endings{Prevent: []process.Status{{}}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if runs := runsOf(t, tt.restart, tt.script, tt.endings); (runs == 3) != tt.again || runs != 3 && runs != 1 {
				t.Errorf("it ran %d times", runs)
			}
		})
	}
}

func TestTheHookAfterTheEndSeesItAndHarmsNothing(t *testing.T) {
	for name, tt := range map[string]struct {
		hook func()
		logs string
	}{
		"it returns":            {func() {}, ""},
		"it panics":             {func() { panic("boom") }, "boom"},
		"it ends its goroutine": {runtime.Goexit, "hook after the end failed"},
	} {
		t.Run(name, func(t *testing.T) {
			c := shell(t, "exit 3", new(lines))
			var code int
			var over bool
			c.After = func(_ context.Context, h *process.Handle) error {
				code, over = h.ExitCode()
				tt.hook()
				return nil
			}
			r := serving(t, c)
			var status *child.StatusError
			if err := r.end(); !errors.As(err, &status) || status.Code != 3 {
				t.Errorf("got %v", err)
			}
			if code != 3 || !over {
				t.Errorf("the hook sees the code %d, %v", code, over)
			}
			if log := r.log.String(); !strings.Contains(log, tt.logs) || strings.Contains(log, "failed") != (tt.logs != "") {
				t.Errorf("got %s", log)
			}
		})
	}
}

func TestAHookBeforeTheStartThatHangsEndsWithTheStop(t *testing.T) {
	c := shell(t, "exit 0", new(lines))
	release := make(chan struct{})
	defer close(release)
	c.Before = func(context.Context, *process.Handle) error { <-release; return nil }
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	within(t, 10*time.Second, "the start", func() {
		var start *process.StartError
		if err := c.Serve(ctx); !errors.As(err, &start) || start.Step != "hook" {
			t.Errorf("got %v", err)
		}
	})
}
