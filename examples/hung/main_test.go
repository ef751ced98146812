//go:build unix

package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/coppice-go/coppice/child/isolated"
)

// TestMain is main in the copies of the test binary.
func TestMain(m *testing.M) {
	isolated.Main()
	playWeb()
	os.Exit(m.Run())
}

func TestEachIsFoundAndStartedAgainAndTheLogSaysWhy(t *testing.T) {
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("the example needs a POSIX shell: ", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var out bytes.Buffer
	if err := run(ctx, &out); err != nil {
		t.Errorf("%v:\n%s", err, out.String())
	}
	for name, why := range map[string]string{
		"silent":   "(beat): no beat for 800ms",
		"deadlock": "(beat): no beat for 800ms",
		"spinner":  "(beat): no beat for 800ms",
		"stopped":  "(beat): process: it printed nothing for 800ms",
		"isolated": "(ping): no answer within 300ms (2 in a row); then signal: killed",
		"web":      "(ping): no answer within 300ms (2 in a row); then exit code 2",
	} {
		for _, want := range []string{
			"hung/" + name + strings.Repeat(" ", 10-len(name)) + "killed " + why + "\n",
			`path=hung/` + name + ` incarnation=1 cause=` + why[1:strings.Index(why, ")")] + ` exit="killed ` + why + `" next=restarts`,
			"hung/" + name + strings.Repeat(" ", 10-len(name)) + "started again\n",
		} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("there is no %q in\n%s", want, out.String())
			}
		}
	}
}

func TestOneThatIsNotFoundIsAnError(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := run(ctx, new(bytes.Buffer)); err == nil || !strings.Contains(err.Error(), "not all of them") {
		t.Errorf("got %v", err)
	}
}
