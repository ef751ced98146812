package isolated_test

import (
	"context"
	"strconv"
	"testing"

	"github.com/coppice-go/coppice/child/process"
)

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
