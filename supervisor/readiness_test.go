package supervisor_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/supervisor"
)

// announcer is a service that says when it has started, three seconds later.
type announcer struct{ child.Func }

func (announcer) Announces() bool { return true }

func (announcer) Serve(ctx context.Context) error {
	time.Sleep(3 * time.Second)
	child.Ready(ctx)
	return idle(ctx)
}

func TestAStartIsCompleteWhenAllThatItsReadinessNamesHasComeTrue(t *testing.T) {
	const s = time.Second
	calls := func(after time.Duration) child.Func {
		return func(ctx context.Context) error {
			time.Sleep(after)
			child.Ready(ctx)
			child.Ready(ctx) // for the second time it does nothing
			return idle(ctx)
		}
	}
	// probe says yes once that time has passed.
	probe := func(after time.Duration) func(context.Context) error {
		var began time.Time
		return func(ctx context.Context) error {
			if began.IsZero() {
				began = time.Now()
			}
			if child.Path(ctx) != "root/slow" {
				t.Error("the probe does not know whom it asks about")
			}
			if time.Since(began) < after {
				return errors.New("not yet")
			}
			return nil
		}
	}
	for name, tt := range map[string]struct {
		run   child.Service
		ready child.Readiness
		want  time.Duration
	}{
		"nothing":                       {calls(3 * s), child.Readiness{}, 0},
		"a call":                        {calls(3 * s), child.Readiness{Call: true}, 3 * s},
		"a service that announces":      {announcer{idle}, child.Readiness{}, 3 * s},
		"a time":                        {child.Func(idle), child.Readiness{After: 2 * s}, 2 * s},
		"a time, and nobody asked":      {calls(s), child.Readiness{After: 2 * s}, 2 * s},
		"a probe that says yes at once": {child.Func(idle), child.Readiness{Probe: probe(0)}, 0},
		"a probe":                       {child.Func(idle), child.Readiness{Probe: probe(3 * s), Interval: 2 * s}, 4 * s},
		"a probe by default":            {child.Func(idle), child.Readiness{Probe: probe(s)}, s},
		"a call before a probe":         {calls(s), child.Readiness{Call: true, Probe: probe(3 * s)}, 3 * s},
		"a call after a probe":          {calls(4 * s), child.Readiness{Call: true, Probe: probe(3 * s)}, 4 * s},
		"a probe and a time":            {calls(0), child.Readiness{After: 4 * s, Probe: probe(0)}, 4 * s},
		"a time and then a probe":       {calls(0), child.Readiness{After: 4 * s, Probe: probe(s)}, 5 * s},
		"all":                           {announcer{idle}, child.Readiness{Call: true, After: 2 * s, Probe: probe(s / 2)}, 3 * s},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				next := make(chan time.Duration, 1)
				sup := start(t, supervisor.Spec{Name: "root", Children: []child.Specer{
					child.Spec{Name: "slow", Run: tt.run, Ready: tt.ready},
					child.Spec{Name: "next", Run: child.Func(func(ctx context.Context) error {
						next <- time.Since(began)
						return idle(ctx)
					})},
				}})
				if got := <-next; got != tt.want {
					t.Errorf("the next was started after %v, want %v", got, tt.want)
				}
				if s := sup.Snapshot().Root.Children[0]; s.State != supervisor.Running || s.Since.Sub(began) != tt.want {
					t.Errorf("it is %v since %v", s.State, s.Since.Sub(began))
				}
				time.Sleep(time.Hour)
				if s := sup.Snapshot().Root.Children[0]; s.State != supervisor.Running || s.Incarnation != 1 {
					t.Errorf("it is %v, #%d", s.State, s.Incarnation)
				}
				_ = sup.Stop(context.Background())
			})
		})
	}
}

func TestAStartWhoseReadinessDoesNotComeHasFailedAndSaysWhy(t *testing.T) {
	hang := make(chan struct{})
	t.Cleanup(func() { close(hang) })
	for name, tt := range map[string]struct {
		ready child.Readiness
		want  string
	}{
		"no call":         {child.Readiness{Call: true}, "not ready in time"},
		"a probe says no": {child.Readiness{Probe: func(context.Context) error { return errors.New("refused") }}, "not ready in time: refused"},
		"a probe hangs": {child.Readiness{Probe: func(ctx context.Context) error {
			<-ctx.Done()
			time.Sleep(time.Second)
			return nil
		}}, "not ready in time: its probe has not answered"},
		"a probe panics": {child.Readiness{Probe: func(context.Context) error { panic("ouch") }}, "not ready in time: panic: ouch"},
		"a probe ends its goroutine": {child.Readiness{Probe: func(context.Context) error {
			runtime.Goexit()
			return nil
		}}, "not ready in time: it ended its goroutine (runtime.Goexit)"},
		"a probe answers late": {child.Readiness{Timeout: 2 * time.Second, Probe: func(ctx context.Context) error {
			<-ctx.Done()
			return context.Cause(ctx)
		}}, "not ready in time: no answer within 2s"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				tt.ready.Patience = 5 * time.Second
				var why child.Reason
				_, err := quiet.Start(t.Context(), supervisor.Spec{Name: "root", Children: []child.Specer{child.Spec{
					Name: "slow", Ready: tt.ready, Run: child.Func(func(ctx context.Context) error {
						<-ctx.Done()
						why = child.StopReason(ctx)
						return nil
					}),
				}}})
				var exit *supervisor.ExitError
				if !errors.As(err, &exit) || exit.Cause != supervisor.InitFailed || exit.Exit.Reason != child.ByReadiness {
					t.Fatalf("got %v", err)
				}
				if got := exit.Exit.String(); got != "failed to start: "+tt.want {
					t.Errorf("got %s, want %s", got, tt.want)
				}
				if took := time.Since(began); took != 5*time.Second || why != child.ByReadiness {
					t.Errorf("it was told after %v by %v", took, why)
				}
				time.Sleep(time.Minute) // until the probe has ended too
			})
		})
	}
}

func TestASnapshotShowsWhyAStartIsNotComplete(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		sup, err := quiet.New(supervisor.Spec{Name: "root", Children: []child.Specer{child.Spec{
			Name: "slow", Run: child.Func(idle), Ready: child.Readiness{Probe: func(context.Context) error {
				switch since := time.Since(began); {
				case since < 5*time.Second:
					return errors.New("refused")
				case since < 10*time.Second:
					time.Sleep(5 * time.Second)
				}
				return nil
			}},
		}}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		go func() { _ = sup.Serve(ctx) }()
		for _, want := range []struct {
			at    time.Duration
			state supervisor.State
			why   string
		}{
			{4 * time.Second, supervisor.Starting, "refused"},
			{9 * time.Second, supervisor.Starting, "refused"},
			{11 * time.Second, supervisor.Running, ""},
		} {
			time.Sleep(want.at - time.Since(began))
			if s := sup.Snapshot().Root.Children[0]; s.State != want.state || s.Vitals.Failure != want.why {
				t.Errorf("after %v: got %v, %q, want %v, %q", want.at, s.State, s.Vitals.Failure, want.state, want.why)
			}
		}
		stop()
		_ = sup.Wait()
	})
}

func TestLivenessIsAskedForOnlyWhenTheStartIsComplete(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked []time.Duration
		began := time.Now()
		sup := start(t, supervisor.Spec{Name: "root", Children: []child.Specer{child.Spec{
			Name: "slow", Stuck: child.Abandon, Ready: child.Readiness{After: 20 * time.Second},
			Run: patient(func(ctx context.Context, n int) {
				if n >= 20 {
					child.Beat(ctx)
				}
			}),
			Liveness: child.Liveness{Silence: 2 * time.Second, Ping: func(context.Context) error {
				asked = append(asked, time.Since(began))
				return nil
			}},
		}}})
		time.Sleep(20 * time.Second)
		if s, _ := sup.Find("root/slow").Status(); s.Incarnation != 1 || s.State != supervisor.Running {
			t.Errorf("got %v, #%d", s.State, s.Incarnation)
		}
		_ = sup.Stop(context.Background())
		synctest.Wait()
		if len(asked) < 9 || len(asked) > 10 || asked[0] < 20*time.Second {
			t.Errorf("it was asked at %v", asked)
		}
	})
}

func TestAProbeOfANestedSupervisorIsAskedToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		yes := func(context.Context) error {
			if time.Since(began) < 2*time.Second {
				return errLife
			}
			return nil
		}
		inner := supervisor.Spec{Name: "inner", Ready: child.Readiness{Probe: yes}, Children: []child.Specer{child.Spec{Name: "w", Run: child.Func(idle)}}}
		sup := start(t, one("last", idle, inner))
		if took := time.Since(began); took != 2*time.Second {
			t.Errorf("the start took %v", took)
		}
		_ = sup.Stop(context.Background())
	})
}

// pinger is a service that is asked itself.
type pinger struct {
	child.Func
	pings, kills bool
	err          error
}

func (p pinger) Pings() bool                { return p.pings }
func (p pinger) Kills() bool                { return p.kills }
func (p pinger) Ping(context.Context) error { return p.err }

func TestAServiceThatIsAPingerIsAskedWithoutALiveness(t *testing.T) {
	for name, tt := range map[string]struct {
		run  pinger
		want string
	}{
		"it says no":       {pinger{idle, true, true, errLife}, "killed (ping): life"},
		"it says yes":      {pinger{idle, true, true, nil}, "normal"},
		"it does not ping": {pinger{idle, false, true, errLife}, "normal"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := fateOf(t, child.Spec{Run: tt.run, Restart: child.Temporary}, time.Minute)
				if f.exit.String() != tt.want {
					t.Errorf("got %v, want %s", f.exit, tt.want)
				}
			})
		})
	}
}

func TestMistakesInLivenessAndReadinessAreNamed(t *testing.T) {
	yes := func(context.Context) error { return nil }
	for want, c := range map[string]child.Spec{
		"Stuck: wait: a goroutine cannot be killed: with a Liveness choose escalate or abandon": {Liveness: child.Liveness{Timeout: 1}},
		"Stuck: wait: a goroutine cannot be killed: with a Liveness choose escalate or abandon; whether what Fresh makes can be killed is not known: a service that can needs no Fresh": {
			Run: child.Fresh(func() child.Service { return pinger{idle, true, true, nil} }), Liveness: child.Liveness{Timeout: 1},
		},
		"Stuck: wait: a goroutine":                                                          {Run: pinger{idle, true, false, nil}},
		"Stuck: wait: a goro":                                                               {Liveness: child.Liveness{MaxRun: 1}},
		"Liveness.Timeout: -1ns: must not be negative":                                      {Liveness: child.Liveness{Timeout: -1}},
		"Liveness.Silence: -1ns: must not be negative":                                      {Liveness: child.Liveness{Silence: -1}},
		"Liveness.Interval: -1ns: must not be negative":                                     {Liveness: child.Liveness{Interval: -1}},
		"Liveness.MaxRun: -1ns: must not be negative":                                       {Liveness: child.Liveness{MaxRun: -1}},
		"Liveness.Failures: -1: must not be negative":                                       {Liveness: child.Liveness{Failures: -1, Ping: yes}},
		"Liveness.Silence: 1s: has no meaning without a Ping; Timeout says it":              {Liveness: child.Liveness{Silence: time.Second}},
		"Liveness.Interval: 1s: has no meaning without a Ping":                              {Liveness: child.Liveness{Interval: time.Second}},
		"Liveness.Failures: 3: has no meaning without a Ping":                               {Liveness: child.Liveness{Failures: 3}},
		"Ready.After: -1ns: must not be negative":                                           {Ready: child.Readiness{After: -1}},
		"Ready.Timeout: -1ns: must not be negative":                                         {Ready: child.Readiness{Timeout: -1}},
		"Ready.Interval: -1ns: must not be negative":                                        {Ready: child.Readiness{Interval: -1}},
		"Ready.Patience: -1ns: must not be negative":                                        {Ready: child.Readiness{Patience: -1}},
		"Ready.Timeout: 1s: has no meaning without a Probe":                                 {Ready: child.Readiness{Timeout: time.Second}},
		"Ready.Interval: 1s: has no meaning without a Probe":                                {Ready: child.Readiness{Interval: time.Second}},
		"Ready.After: 30s: is not before the patience of 30s is over":                       {Ready: child.Readiness{After: 30 * time.Second}},
		"Ready.After: 2s: is not before the patience of 1s is over":                         {Ready: child.Readiness{After: 2 * time.Second, Patience: time.Second}},
		"Run: github.com/coppice-go/coppice/supervisor_test.idle: its Pings panicked: ouch": {Run: &bomb{pinger{Func: idle}}},
	} {
		c.Name = "w"
		if c.Run == nil {
			c.Run = child.Func(idle)
		}
		err := supervisor.Spec{Name: "root", Children: []child.Specer{c}}.Validate()
		if err == nil || !strings.Contains(err.Error(), "root/w: "+want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if err := (supervisor.Spec{Name: "root", Children: []child.Specer{supervisor.Spec{Name: "sub", Ready: child.Readiness{After: time.Hour}}}}).Validate(); err != nil {
		t.Error(err)
	}
	for name, c := range map[string]child.Spec{
		"a process chooses nothing":        {Run: pinger{idle, true, true, nil}, Liveness: child.Liveness{Timeout: 1, MaxRun: 1}},
		"a goroutine escalates":            {Stuck: child.Escalate, Liveness: child.Liveness{Timeout: 1}},
		"a goroutine is abandoned":         {Stuck: child.Abandon, Liveness: child.Liveness{Ping: yes, Silence: 1, Timeout: 1, Interval: 1, Failures: 1}},
		"readiness needs no choice":        {Ready: child.Readiness{Probe: yes, Timeout: 1, Interval: 1, After: 1, Call: true, Patience: 2}},
		"the patience may be for ever":     {Ready: child.Readiness{After: time.Hour, Patience: child.Infinity}},
		"a pinger that does not ping":      {Run: pinger{idle, false, false, nil}},
		"a pinger takes what goes with it": {Run: pinger{idle, true, true, nil}, Liveness: child.Liveness{Failures: 3, Interval: 1, Silence: 1}},
	} {
		c.Name = "w"
		if c.Run == nil {
			c.Run = child.Func(idle)
		}
		if err := (supervisor.Spec{Name: "root", Children: []child.Specer{c}}).Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// bomb panics when it is asked whether it pings.
type bomb struct{ pinger }

func (*bomb) Pings() bool { panic("ouch") }
