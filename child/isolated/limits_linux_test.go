package isolated_test

import (
	"context"
	"os"
	"strconv"
	"testing"

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
		t.Fatal(err)
	}
	if got["GOMEMLIMIT"] != strconv.Itoa(limit/10*9) || got["GOMAXPROCS"] != "1" {
		t.Errorf("Go keeps to %v", got)
	}
	if data := got["data"]; data != strconv.Itoa(limit) && data != "unlimited" { // with a control group
		t.Errorf("the limit of the data is %s", data)
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
