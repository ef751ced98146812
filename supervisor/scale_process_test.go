//go:build unix

package supervisor_test

import (
	"context"
	"os/exec"
	"strings"
	"testing"

	"github.com/coppice-go/coppice/child/process"
	"github.com/coppice-go/coppice/supervisor"
)

func TestADefinitionOfAProcessCanBeScaled(t *testing.T) {
	if _, err := exec.LookPath("sleep"); err != nil {
		t.Skip("it needs sleep: ", err)
	}
	config, err := process.ParseConfig([]byte(`{"name":"nap","cmd":"sleep 60"}`))
	if err != nil {
		t.Fatal(err)
	}
	sup := start(t, supervisor.Spec{Name: "pool", Template: config.Template()})
	for _, step := range []struct {
		n    int
		want string
	}{{3, "nap-1 nap-2 nap-3"}, {1, "nap-1"}, {2, "nap-1 nap-2"}} {
		if err := sup.Find("pool").Scale(t.Context(), step.n, nil); err != nil {
			t.Fatal(err)
		}
		if got := names(t, sup); got != step.want {
			t.Errorf("got %q, want %q", got, step.want)
		}
	}
	if err := sup.Find("pool").Scale(t.Context(), 3, 7); err == nil || !strings.Contains(err.Error(), "Config.args") {
		t.Errorf("got %v", err)
	}
	if err := sup.Stop(context.Background()); err != nil {
		t.Error(err)
	}
}
