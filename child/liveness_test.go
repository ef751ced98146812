package child_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/coppice-go/coppice/child"
)

// asked is a service that can be asked and killed, or says that it cannot.
type asked struct {
	child.Func
	can bool
}

func (a asked) Pings() bool              { return a.can }
func (asked) Ping(context.Context) error { return errPlain }
func (a asked) Kills() bool              { return a.can }

func TestWhatALivenessComesTo(t *testing.T) {
	t.Parallel()
	run := child.Func(fallIntoThePit)
	for name, tt := range map[string]struct {
		spec child.Spec
		want string
	}{
		"nothing":              {child.Spec{Run: run}, "{}"},
		"no run":               {child.Spec{}, "{}"},
		"a beat":               {child.Spec{Run: run, Liveness: child.Liveness{Timeout: time.Minute}}, "{silence: 1m0s}"},
		"Celery's ping":        {child.Spec{Run: run, Liveness: child.Liveness{Ping: yes}}, "{timeout: 30s, ping: PING, interval: 2s, failures: 1}"},
		"a ping of one's own":  {child.Spec{Run: run, Liveness: child.Liveness{Ping: yes, Timeout: 1, Silence: 2, Interval: 3, Failures: 4, MaxRun: 5}}, "{timeout: 1ns, silence: 2ns, ping: PING, interval: 3ns, failures: 4, max_run: 5ns}"},
		"the service's ping":   {child.Spec{Run: asked{run, true}}, "{timeout: 30s, ping: PING, interval: 2s, failures: 1}"},
		"both":                 {child.Spec{Run: asked{run, true}, Liveness: child.Liveness{Ping: yes, Failures: 2}}, "{timeout: 30s, ping: PING, interval: 2s, failures: 2}"},
		"a service that won't": {child.Spec{Run: asked{run, false}, Liveness: child.Liveness{Timeout: time.Minute, MaxRun: time.Hour}}, "{silence: 1m0s, max_run: 1h0m0s}"},
	} {
		got := tt.spec.Watched()
		ping := child.NameOf(yes)
		if tt.spec.Liveness.Ping == nil {
			ping = child.NameOf(got.Ping) // the service's
		}
		if want := strings.Replace(tt.want, "PING", ping, 1); got.String() != want {
			t.Errorf("%s: got %v, want %s", name, got, want)
		}
	}
}

func TestWhoCanBeKilled(t *testing.T) {
	t.Parallel()
	for want, services := range map[bool][]child.Service{
		true:  {asked{can: true}},
		false: {nil, asked{}, child.Func(fallIntoThePit), child.Fresh(newName)},
	} {
		for _, s := range services {
			if got := (child.Spec{Run: s}).Kills(); got != want {
				t.Errorf("%v: got %v", child.NameOf(s), got)
			}
		}
	}
}

func TestLivenessAndReadinessShowDataAndNames(t *testing.T) {
	t.Parallel()
	name := child.NameOf(yes)
	for want, v := range map[string]any{
		`{"timeout":"1m0s","ping":"` + name + `","failures":3}`:                             child.Liveness{Timeout: time.Minute, Ping: yes, Failures: 3},
		`{"call":true,"after":"1s","probe":"` + name + `","interval":"2s","patience":"3s"}`: child.Readiness{Call: true, After: time.Second, Probe: yes, Interval: 2 * time.Second, Patience: 3 * time.Second},
		`{}`: child.Readiness{},
	} {
		if got, err := json.Marshal(v); err != nil || string(got) != want {
			t.Errorf("got %s, %v, want %s", got, err, want)
		}
	}
	if got := fmt.Sprintf("%v, %#v", child.Liveness{MaxRun: 1}, child.Readiness{Call: true}); got != "{max_run: 1ns}, child.Readiness{call: true}" {
		t.Errorf("got %s", got)
	}
	for _, zero := range []bool{
		child.Liveness{}.IsZero(), child.Readiness{}.IsZero(),
		!child.Liveness{MaxRun: 1}.IsZero(), !child.Readiness{After: 1}.IsZero(),
	} {
		if !zero {
			t.Error("IsZero is wrong")
		}
	}
}

func TestAnExitIsExplainedByWhoeverKnowsWhy(t *testing.T) {
	t.Parallel()
	for want, exit := range map[string]child.Exit{
		"killed (beat): no beat":                           {},
		"killed (beat): no beat; then error: no more disk": child.ExitOf(errPlain),
		"killed (beat): no beat; then panic: ouch":         serve(panics("ouch")),
		"killed (beat): no beat; then exit code 3":         child.ExitOf(&child.StatusError{Code: 3}),
	} {
		exit.Explain("no beat")
		exit.Tell(child.ByBeat, false)
		if exit.String() != want || !exit.Abnormal() {
			t.Errorf("got %v, want %s", exit, want)
		}
		exit.FailStart()
		if want := "failed to start: " + exit.Text(); exit.String() != want || exit.Reason != child.ByBeat {
			t.Errorf("got %v, want %s", exit, want)
		}
	}
}
