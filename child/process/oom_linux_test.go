package process_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/child/process"
)

// tail keeps the end of what never ends.
func TestAKillForLackOfMemoryIsAnEndOfItsOwnKind(t *testing.T) {
	needTools(t, "tail")
	c := process.Command{
		Path: "tail", Args: []string{"-c", "1000000000", "/dev/zero"},
		Containment: process.Containment{Cgroup: true, MaxMemory: 16 << 20},
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	err := c.Serve(ctx)
	var start *process.StartError
	if errors.As(err, &start) && start.Step == "cgroup" {
		t.Skip("no limit of memory can be set here: ", err)
	}
	if cause := child.ExitOf(err).Cause(); cause != child.CauseOOM {
		t.Errorf("got %v for %v", cause, err)
	}
}
