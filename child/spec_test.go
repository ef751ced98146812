package child_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/strategies"
)

// leftAlone is a live value by value, with a name of its own.
type leftAlone struct{ *live }

func (leftAlone) String() string { return "left\nalone" }

func yes(context.Context) error { return nil }

func decide(child.Exit) child.Decision { return child.ByType }

// full is a spec in which no field is zero.
func full(run child.Service) child.Spec {
	return child.Spec{
		Name: "writer", Run: run, Restart: child.Transient, Shutdown: child.Infinity, Significant: true,
		Backoff: strategies.Backoff{Min: time.Second}, Ready: child.Readiness{Call: true, Patience: time.Minute, After: 2 * time.Second, Probe: yes, Timeout: 3 * time.Second, Interval: 4 * time.Second},
		Liveness: child.Liveness{Timeout: 5 * time.Second, Silence: 6 * time.Second, Ping: yes, Interval: 7 * time.Second, Failures: 8, MaxRun: 9 * time.Second},
		Stuck:    child.Abandon, Decide: decide, OwnThread: true,
	}
}

// shown is v in all the ways in which a program shows something.
func shown(t *testing.T, v any) map[string]string {
	t.Helper()
	ways := map[string]string{}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		ways[verb] = fmt.Sprintf(verb, v)
		ways["in a slice, "+verb] = fmt.Sprintf(verb, []any{v})
	}
	data, err := json.Marshal(v)
	if err != nil {
		t.Error(err)
	}
	ways["JSON"] = string(data)
	for name, handler := range map[string]func(*bytes.Buffer) slog.Handler{
		"slog as text": func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) },
		"slog as JSON": func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) },
	} {
		var b bytes.Buffer
		slog.New(handler(&b)).Info("spec", "spec", v, "list", []any{v})
		ways[name] = b.String()
	}
	return ways
}

func TestASpecShowsDataAndNamesNeverWhatAServiceHolds(t *testing.T) {
	t.Parallel()
	l := newLive(t)
	for want, run := range map[string]child.Service{
		"*child_test.live":   l,
		`left\nalone`:        leftAlone{l},
		"child_test.newName": child.Fresh(newName),
		".fallIntoThePit":    child.Func(fallIntoThePit),
	} {
		for way, text := range shown(t, full(run)) {
			if strings.Contains(text, password) || strings.Contains(text, "Hits") {
				t.Errorf("%s shows what is in it: %s", way, text)
			}
			if name := strings.ReplaceAll(text, `\\`, `\`); !strings.Contains(name, want) && !strings.Contains(text, want) {
				t.Errorf("%s does not show %s: %s", way, want, text)
			}
			for _, data := range []string{"writer", "transient", "infinity", "1s", "1m0s", "abandon", "child_test.decide", "own_thread", "child_test.yes", "2s", "3s", "4s", "5s", "6s", "7s", "8", "9s"} {
				if !strings.Contains(text, data) {
					t.Errorf("%s does not show %s: %s", way, data, text)
				}
			}
		}
	}
}

// newName is a function that makes services, for its name.
func newName() child.Service { return child.Func(fallIntoThePit) }

func TestAllWaysShowTheSame(t *testing.T) {
	t.Parallel()
	spec := child.Spec{Name: "db", Run: &live{}, Shutdown: child.BrutalKill, Ready: child.Readiness{Call: true}}
	want := map[string]string{
		"%v":   "{name: db, run: *child_test.live, shutdown: brutal_kill, ready: {call: true}}",
		"%#v":  "child.Spec{name: db, run: *child_test.live, shutdown: brutal_kill, ready: {call: true}}",
		"JSON": `{"name":"db","run":"*child_test.live","shutdown":"brutal_kill","ready":{"call":true}}`,
	}
	want["%s"], want["%+v"] = want["%v"], want["%v"]
	ways := shown(t, spec)
	for way, text := range want {
		if ways[way] != text {
			t.Errorf("%s: got %s, want %s", way, ways[way], text)
		}
	}
	for way, text := range map[string]string{
		"slog as text": `spec.name=db spec.run=*child_test.live spec.shutdown=brutal_kill spec.ready.call=true`,
		"slog as JSON": `"spec":` + want["JSON"],
	} {
		if !strings.Contains(ways[way], text) {
			t.Errorf("%s: got %s, want %s", way, ways[way], text)
		}
	}
	if got := shown(t, child.Spec{})["%v"]; got != "{}" {
		t.Errorf("the zero spec is %s", got)
	}
}

func TestASpecIsAPlainValue(t *testing.T) {
	t.Parallel()
	original := full(child.Func(fallIntoThePit))
	same := original
	if !original.Equal(same) || !original.ChildSpec().Equal(original) || !(child.Spec{}).Equal(child.Spec{}) {
		t.Error("a copy is not equal to its original")
	}
	for field, change := range map[string]func(*child.Spec){
		"Name":        func(s *child.Spec) { s.Name = "reader" },
		"Run":         func(s *child.Spec) { s.Run = child.Func(leave) },
		"Restart":     func(s *child.Spec) { s.Restart = child.Temporary },
		"Shutdown":    func(s *child.Spec) { s.Shutdown = 0 },
		"Significant": func(s *child.Spec) { s.Significant = false },
		"Backoff":     func(s *child.Spec) { s.Backoff.Min = strategies.None },
		"Ready":       func(s *child.Spec) { s.Ready.Patience = 0 },
		"Stuck":       func(s *child.Spec) { s.Stuck = child.Escalate },
		"Decide":      func(s *child.Spec) { s.Decide = nil },
		"OwnThread":   func(s *child.Spec) { s.OwnThread = false },
	} {
		other := original
		change(&other)
		if other.Equal(original) || original.Equal(other) || other.String() == original.String() {
			t.Errorf("a change of %s makes no difference", field)
		}
		if !original.Equal(same) {
			t.Errorf("a change of a copy's %s changed the original", field)
		}
	}
	forged := child.Spec{Name: "a, run: *child_test.live"}
	if forged.Equal(child.Spec{Name: "a", Run: &live{}}) {
		t.Error("a name passes for a service")
	}
	a, b := child.Spec{Run: &live{Password: "one"}}, child.Spec{Run: &live{Password: "two"}}
	if !a.Equal(b) {
		t.Error("services with one name are not equal")
	}
}

// mute is a service whose String panics, and asIs one with no String.
type (
	mute struct{ *live }
	asIs struct{ *live }
)

func (mute) String() string { panic("I say nothing") }

func TestANameIsTakenFromWhoHasOne(t *testing.T) {
	t.Parallel()
	var nobody *live
	for _, tt := range []struct {
		value any
		want  string
	}{
		{nil, "nil"},
		{nobody, "*child_test.live"},
		{asIs{}, "child_test.asIs"},
		{mute{}, "child_test.mute"},
		{text("a\nb"), `<a\nb>`},
		{decide, "github.com/coppice-go/coppice/child_test.decide"},
		{child.Func(fallIntoThePit), "github.com/coppice-go/coppice/child_test.fallIntoThePit"},
		{child.Func(nil), "nil"},
		{child.Fresh(newName), "fresh github.com/coppice-go/coppice/child_test.newName"},
		{child.Fresh(nil), "fresh nil"},
		{(func())(nil), "nil"},
		{child.Kind(2), "panic"},
	} {
		if got := child.NameOf(tt.value); got != tt.want {
			t.Errorf("%T: got %q, want %q", tt.value, got, tt.want)
		}
	}
}

func TestDataIsJSONWhateverItsKeysAndValues(t *testing.T) {
	t.Parallel()
	var d child.Data
	d.Add("a \"key\"\a", "<&>\x1b", true)
	d.Add("hidden", 1, false)
	d.Add("list", []child.Data{{{Key: "n", Value: 1}}, {}}, true)
	data, err := json.Marshal(d)
	if err != nil || !json.Valid(data) {
		t.Fatalf("%s: %v", data, err)
	}
	var back map[string]any
	if err := json.Unmarshal(data, &back); err != nil || back["a \"key\"\a"] != "<&>\x1b" || len(back) != 2 {
		t.Errorf("it reads back as %q, %v", back, err)
	}
	d.Add("odd", math.NaN(), true)
	if _, err := d.MarshalJSON(); err == nil || !strings.Contains(err.Error(), "odd") {
		t.Errorf("what is not JSON: %v", err)
	}
}

func TestAGraceThatIsNoDurationHasAWord(t *testing.T) {
	t.Parallel()
	for grace, want := range map[time.Duration]string{
		child.BrutalKill: "brutal_kill", child.Infinity: "infinity", 0: "0s", child.DefaultShutdown: "5s", child.DefaultPatience: "30s",
	} {
		if got := child.Grace(grace); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// announcer is a service that announces, or does not.
type announcer bool

func (a announcer) Announces() bool { return bool(a) }
func (announcer) Serve(ctx context.Context) error {
	child.Publish(ctx, "served")
	return nil
}

func TestFreshIsKnownAsSuch(t *testing.T) {
	if !child.IsFresh(child.Fresh(newName)) || child.IsFresh(child.Func(fallIntoThePit)) || child.IsFresh(nil) {
		t.Error("it is not")
	}
}

func TestFreshMakesAServiceForEachRun(t *testing.T) {
	t.Parallel()
	made := 0
	s := child.Fresh(func() child.Service {
		made++
		mine := made
		return child.Func(func(context.Context) error { return fmt.Errorf("number %d", mine) })
	})
	for want := 1; want <= 3; want++ {
		if got := serve(s).Text(); got != fmt.Sprintf("number %d", want) {
			t.Errorf("run %d is %q", want, got)
		}
	}
	if got := serve(child.Fresh(func() child.Service { return nil })); got.Kind != child.Failed || !strings.Contains(got.Text(), "Fresh") {
		t.Errorf("one that makes nothing: %v", got)
	}
	if got := serve(child.Fresh(nil)); got.Kind != child.Panicked {
		t.Errorf("one that cannot make anything: %v", got)
	}
}

func TestFreshIsReadyWhenWhatItMadeIs(t *testing.T) {
	t.Parallel()
	for announces, want := range map[bool]string{true: "served", false: "ready served"} {
		s := child.Fresh(func() child.Service { return announcer(announces) })
		if a, ok := s.(child.Announcer); !ok || !a.Announces() {
			t.Error("it does not announce")
		}
		r := &recorder{}
		if err := s.Serve(context.WithValue(t.Context(), child.RuntimeKey{}, r)); err != nil || strings.Join(r.calls, " ") != want {
			t.Errorf("a service that announces (%v): %q, %v, want %q", announces, r.calls, err, want)
		}
	}
}

func TestMissingServicesAreFound(t *testing.T) {
	t.Parallel()
	for _, s := range []child.Service{nil, child.Func(nil), child.Fresh(nil), (*live)(nil)} {
		if !child.Missing(s) {
			t.Errorf("%T is there", s)
		}
	}
	for _, s := range []child.Service{&live{}, child.Func(leave), child.Fresh(newName)} {
		if child.Missing(s) {
			t.Errorf("%T is missing", s)
		}
	}
}
