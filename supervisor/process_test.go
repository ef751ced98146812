//go:build unix

package supervisor_test

import (
	"context"
	"errors"
	"os/exec"
	"testing"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/child/process"
	"github.com/coppice-go/coppice/strategies"
	"github.com/coppice-go/coppice/supervisor"
)

func TestAMissingProgramFailsTheStartAndRollsItBack(t *testing.T) {
	stopped := make(chan struct{})
	_, err := quiet.Start(t.Context(), supervisor.Spec{Name: "root", Children: []child.Specer{
		child.Spec{Name: "before", Run: child.Func(func(ctx context.Context) error { <-ctx.Done(); close(stopped); return nil })},
		child.Spec{Name: "missing", Run: process.Command{Path: "/no/such/program"}},
		child.Spec{Name: "after", Run: child.Func(func(context.Context) error { t.Error("it was started"); return nil })},
	}})
	var exit *supervisor.ExitError
	if !errors.As(err, &exit) || exit.Cause != supervisor.InitFailed || exit.Child != "root/missing" || exit.Exit.Kind != child.StartFailed {
		t.Errorf("got %v", err)
	}
	<-stopped
}

func TestGoroutinesAndProgramsShareAFate(t *testing.T) {
	if _, err := exec.LookPath("sleep"); err != nil {
		t.Skip("it needs sleep: ", err)
	}
	crash := make(chan struct{})
	sup := start(t, supervisor.Spec{Name: "root", Strategy: strategies.OneForAll, Backoff: noDelay, Children: []child.Specer{
		child.Spec{Name: "program", Run: process.Command{Path: "sleep", Args: []string{"1000"}}},
		child.Spec{Name: "goroutine", Run: child.Func(func(ctx context.Context) error {
			select {
			case <-crash:
				return errLife
			case <-ctx.Done():
				return nil
			}
		})},
	}})
	crash <- struct{}{}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	want := []string{"root/program", "root/goroutine"}
	for e := range sup.Events(ctx, 0) {
		if e.Kind == supervisor.ChildStarted && e.Incarnation == 2 {
			if e.Path != want[0] {
				t.Errorf("%s was started again, want %s", e.Path, want[0])
			}
			if want = want[1:]; len(want) == 0 {
				break
			}
		}
	}
	if err := sup.Stop(ctx); err != nil {
		t.Error(err)
	}
	if len(want) > 0 {
		t.Errorf("%v were not started again", want)
	}
}
