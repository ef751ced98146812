//go:build unix

package supervisor_test

import (
	"context"
	"os/exec"
	"testing"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/child/process"
	"github.com/coppice-go/coppice/supervisor"
)

func TestAProcessThatGivesNoSignOfLifeIsKilledAndStartedAgain(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("sleep"); err != nil {
		t.Skip("it needs sleep: ", err)
	}
	for want, l := range map[child.Reason]child.Liveness{
		child.ByBeat:   {Timeout: 100 * time.Millisecond},
		child.ByPing:   {Interval: 50 * time.Millisecond, Ping: func(context.Context) error { return errLife }},
		child.ByMaxRun: {MaxRun: 50 * time.Millisecond},
	} {
		t.Run(want.String(), func(t *testing.T) {
			t.Parallel()
			sup := start(t, supervisor.Spec{Name: "root", Backoff: noDelay, Children: []child.Specer{
				child.Spec{Name: "program", Run: process.Command{Path: "sleep", Args: []string{"1000"}}, Liveness: l},
			}})
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			var exit child.Exit
			for e := range sup.Events(ctx, 0) {
				if e.Kind == supervisor.ChildExited {
					exit = e.Exit
				}
				if e.Kind == supervisor.ChildStarted && e.Incarnation == 2 {
					break
				}
			}
			if exit.Kind != child.KilledByUs || exit.Reason != want {
				t.Errorf("got %v", exit)
			}
			if err := sup.Stop(ctx); err != nil {
				t.Error(err)
			}
		})
	}
}
