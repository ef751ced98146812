//go:build unix

package isolated_test

import (
	"context"
	"errors"
	"os"
	"reflect"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/thejerf/suture/v4"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/child/isolated"
	"github.com/coppice-go/coppice/child/process"
	"github.com/coppice-go/coppice/strategies"
)

func TestAResultHasTheTypeOfTheParent(t *testing.T) {
	q := question{Text: "ab", Times: 3, Ask: map[string][]float64{"x": {1, 2.5}}}
	a, err := echo.Call(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	if a.Text != "ababab" || a.PID == os.Getpid() || a.PID == 0 {
		t.Errorf("the answer is %+v", a)
	}
	want := map[string]any{"Text": "ab", "Times": 3.0, "Ask": map[string]any{"x": []any{1.0, 2.5}}}
	if !reflect.DeepEqual(a.Any, want) {
		t.Errorf("what had no type in the parent is %#v and not of JSON's", a.Any)
	}
}

func TestValuesHaveABound(t *testing.T) {
	const most = isolated.MaxValue/3 - 1000
	a, err := echo.Call(t.Context(), question{Text: strings.Repeat("x", most), Times: 1})
	if err != nil || len(a.Text) != most {
		t.Errorf("%d bytes arrived, %v", len(a.Text), err)
	}
	_, err = echo.Call(t.Context(), question{Text: "xxxx", Times: isolated.MaxValue / 4})
	var failed *isolated.FunctionError
	if !errors.As(err, &failed) || !strings.Contains(err.Error(), "the result has") {
		t.Errorf("with a result too long: %v", err)
	}
	_, err = echo.Call(t.Context(), question{Text: strings.Repeat("x", isolated.MaxValue)})
	var start *child.StartError
	if !errors.As(err, &start) || !strings.Contains(err.Error(), "Service.Arg") {
		t.Errorf("with an argument too long: %v", err)
	}
}

func TestARegistrationThatCannotBeIsAPanic(t *testing.T) {
	f := func(context.Context, int) (int, error) { return 0, nil }
	for name, register := range map[string]func(){
		"a name that is taken": func() { isolated.Register("echo", f) },
		"no name":              func() { isolated.Register("", f) },
		"no function":          func() { isolated.Register[int, int]("nothing", nil) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			register()
		}()
	}
}

func TestAnErrorOfTheFunctionIsToldWithItsText(t *testing.T) {
	for how, want := range map[string]struct {
		text  string
		cause error
	}{
		"it broke":  {"it broke", nil},
		"cancelled": {"context canceled", nil}, // nobody had told it to stop
		"never":     {"enough: ", suture.ErrDoNotRestart},
		"tree":      {suture.ErrTerminateSupervisorTree.Error(), suture.ErrTerminateSupervisorTree},
		"goexit":    {"runtime.Goexit", nil},
	} {
		t.Run(how, func(t *testing.T) {
			_, err := fail.Call(t.Context(), how)
			var failed *isolated.FunctionError
			if !errors.As(err, &failed) || !strings.Contains(err.Error(), want.text) {
				t.Errorf("the error is %v", err)
			}
			for _, sentinel := range []error{suture.ErrDoNotRestart, suture.ErrTerminateSupervisorTree} {
				if errors.Is(err, sentinel) != (want.cause == sentinel) { //nolint:errorlint // the table holds these
					t.Errorf("it is %v: %v", sentinel, errors.Is(err, sentinel))
				}
			}
		})
	}
}

func TestAPanicArrivesWithItsStack(t *testing.T) {
	wantPanic(t, "panic", "ouch: the function", "isolated_test.die")
}

func TestACrashOfAGoroutineArrivesWithItsStack(t *testing.T) {
	for how, want := range map[string][2]string{
		"goroutine": {"ouch: a goroutine", "inGoroutine"},
		"fault":     {"runtime error: invalid memory address", "isolated_test.die"},
		"fatal":     {"sync: unlock of unlocked mutex", "isolated_test.die"},
	} {
		t.Run(how, func(t *testing.T) { wantPanic(t, how, want[0], want[1]) })
	}
}

func wantPanic(t *testing.T, how, text, stack string) {
	t.Helper()
	s := crash.With(how)
	s.Command = discard
	err := s.Serve(t.Context())
	exit := child.ExitOf(err)
	var (
		panicked *child.PanicError
		crashed  *isolated.CrashError
	)
	if exit.Kind != child.Panicked || !errors.As(exit, &panicked) || !errors.As(exit, &crashed) {
		t.Fatalf("the exit is %v, %#v", exit, err)
	}
	if !strings.Contains(exit.String(), text) || !strings.Contains(panicked.Stack(), stack) {
		t.Errorf("the exit is %v, and its stack\n%s", exit, panicked.Stack())
	}
}

func TestTheProgramLivesOnWhateverTheFunctionDoes(t *testing.T) {
	for how, want := range map[string]string{
		"exit": "exit code 3", "kill": "signal: killed", "silent": isolated.ErrNoResult.Error(),
		"panic": "panic: ouch: the function", "goroutine": "panic: ouch: a goroutine",
	} {
		t.Run(how, func(t *testing.T) {
			s := crash.With(how)
			s.Command = discard
			sup := tree(t, quiet, child.Spec{Run: s, Backoff: strategies.Backoff{Min: time.Millisecond}})
			for _, exit := range exits(t, sup, 2) {
				if !strings.Contains(exit.String(), want) {
					t.Errorf("the exit is %v, want %s", exit, want)
				}
			}
			if n := sup.Snapshot().Root.Children[0].Incarnation; n < 2 {
				t.Errorf("incarnation %d after two ends", n)
			}
		})
	}
}

func TestAFunctionThatSpinsIsFoundByItsBeat(t *testing.T) {
	s := spin.With(100) // longer than the timeout
	s.Command = discard
	began := time.Now()
	sup := tree(t, quiet, child.Spec{Run: s, Shutdown: 200 * time.Millisecond, Liveness: child.Liveness{Timeout: 400 * time.Millisecond}})
	exit := exits(t, sup, 1)[0]
	if exit.Reason != child.ByBeat || exit.Kind != child.KilledByUs {
		t.Errorf("the exit is %v", exit)
	}
	if lived := time.Since(began); lived < 1200*time.Millisecond || lived > 10*time.Second {
		t.Errorf("it ended after %v", lived)
	}
	await(t, "a second run", func() bool { return sup.Snapshot().Root.Children[0].Incarnation == 2 })
}

func TestAFunctionThatHangsShowsWhere(t *testing.T) {
	s := spin.With(0)
	s.Command = discard
	s.Command.Abort = process.Ladder{{Signal: syscall.SIGQUIT, Wait: time.Second}}
	sup := tree(t, quiet, child.Spec{Run: s, Shutdown: 2 * time.Second, Liveness: child.Liveness{Timeout: 200 * time.Millisecond}})
	exit := exits(t, sup, 1)[0]
	var panicked *child.PanicError
	if exit.Reason != child.ByBeat || !errors.As(exit, &panicked) || !strings.Contains(panicked.Stack(), "main_test.go") {
		t.Errorf("the exit is %v", exit)
	}
}

func TestAFunctionThatHoldsItsLockIsFoundByItsPing(t *testing.T) {
	s := spin.With(20)
	s.Pinged = true
	s.Command = discard
	sup := tree(t, quiet, child.Spec{
		Run: s, Shutdown: 100 * time.Millisecond,
		Liveness: child.Liveness{Interval: 20 * time.Millisecond, Timeout: 400 * time.Millisecond},
	})
	exit := exits(t, sup, 1)[0]
	if exit.Reason != child.ByPing || exit.Kind != child.KilledByUs {
		t.Errorf("the exit is %v", exit)
	}
	await(t, "a second run", func() bool { return sup.Snapshot().Root.Children[0].Incarnation == 2 })
}

func TestTheStartIsCompleteWithTheFirstWordOrWhenTheFunctionSaysSo(t *testing.T) {
	for says, want := range map[bool]string{true: "announced", false: ""} {
		var out text
		s := announce.With(time.Second)
		s.CallsReady = says
		s.Command.Stdout.Writer = &out
		tree(t, quiet, child.Spec{Run: s}) // returns when the start is complete
		if want == "" {
			if s := out.String(); s != "" {
				t.Errorf("the start was complete after the function said %q", s)
			}
			continue
		}
		await(t, "what it said before", func() bool { return strings.Contains(out.String(), want) })
	}
}

func TestTheCommandHasASayInWhenTheStartIsComplete(t *testing.T) {
	var out text
	s := announce.With(500 * time.Millisecond)
	s.Command.Ready.Line = regexp.MustCompile("announced")
	s.Command.Stdout.Writer = &out
	began := time.Now()
	tree(t, quiet, child.Spec{Run: s}) // returns when the start is complete
	if took := time.Since(began); took < 500*time.Millisecond {
		t.Errorf("the start was complete after %v", took)
	}
}

func TestAPingOutsideOfARunIsAnError(t *testing.T) {
	if err := echo.With(question{}).Ping(t.Context()); !errors.Is(err, isolated.ErrNotRunning) {
		t.Errorf("the answer is %v", err)
	}
}
