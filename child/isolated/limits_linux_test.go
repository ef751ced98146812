package isolated_test

import (
	"context"
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/child/isolated"
	"github.com/coppice-go/coppice/child/process"
)

func TestNoDescriptorIsLeft(t *testing.T) {
	count := func() int {
		names, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(names)
	}
	call := func() {
		if _, err := echo.Call(t.Context(), question{}); err != nil {
			t.Fatal(err)
		}
	}
	call() // what is opened once for all
	before := count()
	for range 10 {
		call()
	}
	if after := count(); after > before+5 { // other tests run beside
		t.Errorf("%d descriptors are open, and %d were", after, before)
	}
}

func TestTheCopyKeepsToItsLimits(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector needs more memory than any limit")
	}
	const limit = 512 << 20
	var got map[string]string
	s := limits.With(none{})
	s.Memory = limit
	s.Command.Env = []string{"GOMAXPROCS=1"} // the user's own counts
	s.Result = func(_ context.Context, l map[string]string) { got = l }
	if err := s.Serve(t.Context()); err != nil {
		skipWithoutLimits(t, err)
		t.Fatal(err)
	}
	if got["GOMEMLIMIT"] != strconv.Itoa(limit/10*9) || got["GOMAXPROCS"] != "1" {
		t.Errorf("Go keeps to %v", got)
	}
	if data := got["data"]; data != strconv.Itoa(limit) && got["group"] != strconv.Itoa(limit) {
		t.Errorf("the limit of the data is %s, that of the control group %s", data, got["group"])
	}
	s.Memory, s.Command.Env = 0, nil
	s.Command.System.Limits = []process.Limit{{Name: "data", Soft: limit, Hard: limit}}
	if err := s.Serve(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got["GOMEMLIMIT"] != strconv.Itoa(limit/10*9) {
		t.Errorf("with a limit of its own Go keeps to %v", got)
	}
}

func TestALeakEndsAtTheLimitOfMemory(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector needs more memory than the limit")
	}
	s := leaking.With(0)
	s.Memory = 256 << 20
	s.Command = discard
	probe := limits.With(none{})
	probe.Memory = s.Memory
	skipWithoutLimits(t, probe.Serve(t.Context()))
	sup := tree(t, quiet, child.Spec{Run: s})
	exit := exits(t, sup, 1)[0]
	var limit *isolated.LimitError
	if exit.Kind != child.KilledByUs || exit.Reason != child.ByLimit || !errors.As(exit, &limit) || limit.Limit != 256<<20 {
		t.Errorf("the exit is %v", exit)
	}
	await(t, "a second run", func() bool { return sup.Snapshot().Root.Children[0].Incarnation == 2 })
}

// skipWithoutLimits skips the test if memory cannot be limited here.
func skipWithoutLimits(t *testing.T, err error) {
	t.Helper()
	if err != nil && strings.Contains(err.Error(), "cannot do: limits") {
		t.Skip("it needs a control group for memory, or a build that sets limits: ", err)
	}
}
