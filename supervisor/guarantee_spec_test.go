package supervisor_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"unicode"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/child/process"
	"github.com/coppice-go/coppice/strategies"
	"github.com/coppice-go/coppice/supervisor"
)

func TestEveryMistakeInASpecIsToldAtOnce(t *testing.T) {
	sub := supervisor.Spec{Name: "sub", AutoShutdown: 9, MaxChildren: -1, Children: []child.Specer{
		nil,
		child.Spec{Name: "c", Run: child.Func(idle), Restart: 9, Shutdown: -2, Stuck: 9, Ready: child.Readiness{Patience: -1}},
		child.Spec{Name: "c", Significant: true},
	}}
	spec := treeOf("root", sub, child.Spec{Name: "a b", Run: child.Func(idle), Backoff: strategies.Backoff{Jitter: 7}})
	spec.Strategy = 77
	spec.Intensity.Restarts = -5
	var fields []string
	for _, m := range mistakes(t, spec) {
		if m.Value == "" || m.Reason == "" {
			t.Errorf("the mistake %+v is not told in full", m)
		}
		fields = append(fields, m.Path+" "+m.Field)
	}
	for _, want := range []string{
		"root Strategy", "root Intensity.Restarts", "root/sub AutoShutdown", "root/sub MaxChildren", "root/sub[0] Children",
		"root/sub/c Restart", "root/sub/c Shutdown", "root/sub/c Stuck", "root/sub/c Significant", "root/sub/c Ready.Patience",
		"root/sub/c Name", "root/sub/c Run", "root[2] Name", "root[2] Backoff.Jitter",
	} {
		if !strings.Contains(strings.Join(fields, "\n")+"\n", want+"\n") {
			t.Errorf("%s is not among %q", want, fields)
		}
	}
}

func TestANameIsOneTo63LettersDigitsDotsDashesAndUnderscores(t *testing.T) {
	for _, name := range []string{"a", "Z", "0", "_", "a.b-c_d", "a-", "a.", strings.Repeat("x", 63)} {
		sup := start(t, treeOf(name, worker(name), treeOf("sub", worker(name))))
		if s, err := sup.Find(name + "/sub/" + name).Status(); s.State != supervisor.Running || err != nil {
			t.Errorf("%s is %v, %v", name, s.State, err)
		}
		stop(t, sup)
	}
	for _, name := range []string{"", ".a", "-a", "a/b", "a b", "ä", "a\n", strings.Repeat("x", 64)} {
		if err := treeOf("root", worker(name)).Validate(); err == nil {
			t.Errorf("%q is a name", name)
		}
	}
}

func TestAChildOfATemplateHasAName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sup := start(t, supervisor.Spec{Name: "root", Template: func(arg any) child.Spec {
			return child.Spec{Name: arg.(string), Run: child.Func(idle)}
		}})
		for _, step := range []struct{ arg, path string }{{"", "root/1"}, {"3", "root/3"}, {"", "root/2"}, {"", "root/4"}, {"x", "root/x"}} {
			at, err := sup.Ref().StartChild(t.Context(), step.arg)
			if err != nil || at.Path() != step.path {
				t.Errorf("got %v, %v, want %s", at, err, step.path)
			}
		}
		if _, err := sup.Ref().StartChild(t.Context(), "x"); !errors.Is(err, supervisor.ErrAlreadyStarted) {
			t.Errorf("got %v", err)
		}
		stop(t, sup)
	})
}

func TestARunningTreeIsNotChangedByWhatBecomesOfItsSpec(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := []child.Specer{worker("b")}
		outer := []child.Specer{worker("a"), supervisor.Spec{Name: "sub", Children: inner}}
		sup := start(t, treeOf("root", outer...))
		inner[0], outer[0] = worker("changed"), nil
		for _, path := range []string{"root/sub", "root/a"} {
			if err := sup.Find(path).Bounce(t.Context()); err != nil {
				t.Error(err)
			}
		}
		stop(t, sup)
		go func() { _ = sup.Serve(context.Background()) }()
		for _, path := range []string{"root/a", "root/sub/b"} {
			if s := status(t, sup, path); s.State != supervisor.Running {
				t.Errorf("%s is %v", path, s.State)
			}
		}
		stop(t, sup)
	})
}

// everything is all that a tree of that spec says in its life, by all ways: the
// spec, snapshots, events, log lines, and its error.
func everything(t *testing.T, spec supervisor.Spec) []string {
	t.Helper()
	var log bytes.Buffer
	options := supervisor.Options{Logger: slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	sup, err := options.New(spec)
	if err != nil {
		t.Fatal(err)
	}
	ended := sup.Serve(t.Context())
	said := []string{ended.Error(), fmt.Sprintf("%+v", ended), fmt.Sprint(spec), fmt.Sprintf("%#v", spec)}
	for e := range sup.Events(t.Context(), 0) {
		text, err := json.Marshal(e)
		if err != nil {
			t.Error(err)
		}
		said = append(said, e.String(), fmt.Sprint(e.Exit), e.Exit.Text(), string(text))
	}
	snapshot := sup.Snapshot()
	for s := range snapshot.Root.All() {
		said = append(said, fmt.Sprint(s.Last().Exit), s.Reason.String())
	}
	for _, v := range []any{spec, snapshot} {
		text, err := json.Marshal(v)
		if err != nil {
			t.Error(err)
		}
		said = append(said, string(text))
	}
	for line := range strings.Lines(log.String()) {
		said = append(said, strings.TrimSuffix(line, "\n"))
	}
	return said
}

func TestWhatAChildSaysIsALineOfDataEverywhere(t *testing.T) {
	const evil = "one\ntwo\r\x1b[31mred\x00\u202e\xff"
	for name, end := range map[string]func() error{
		"an error":            func() error { return errors.New(evil) },
		"a panic":             func() error { panic(evil) },
		"a panic of an error": func() error { panic(errors.New(evil)) },
	} {
		t.Run(name, func(t *testing.T) {
			spec := one("w", func(context.Context) error { return end() })
			spec.Intensity, spec.Backoff = never, noDelay
			for _, said := range everything(t, spec) {
				for _, r := range said {
					if unicode.IsControl(r) || r == unicode.ReplacementChar || r == '\u202e' {
						t.Errorf("%q holds %q", said, r)
						break
					}
				}
				if strings.Contains(said, `\u001b`) || strings.Contains(said, `\u0000`) {
					t.Errorf("it is only quoted in %s", said)
				}
			}
		})
	}
}

func TestAValueOfTheEnvironmentNeverLeavesTheProgram(t *testing.T) {
	const secret = "hunter2-and-more"
	spec := treeOf("root", child.Spec{Name: "p", Run: process.Command{
		Path: "/nothing/is/here", Env: []string{"TOKEN=" + secret}, Args: []string{"--password", secret},
	}})
	for _, said := range everything(t, spec) {
		if strings.Contains(said, secret) {
			t.Errorf("it is in %s", said)
		}
	}
}
