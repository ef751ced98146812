package child_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/thejerf/suture/v4"

	"github.com/coppice-go/coppice/child"
)

// exits are all ways out of a run.
var exits = map[string]struct {
	run      child.Service
	kind     child.Kind
	text     string // of the exit
	abnormal bool   // whether a transient child is restarted
	is       bool   // whether it is an error
	status   int    // what a shell would say
}{
	"a return":                 {returns(nil), child.Normal, "normal", false, false, 0},
	"an error":                 {returns(errPlain), child.Failed, "error: no more disk", true, true, 1},
	"a wrapped error":          {returns(fmt.Errorf("log: %w", errPlain)), child.Failed, "error: log: no more disk", true, true, 1},
	"a panic":                  {panics("ouch"), child.Panicked, "panic: ouch", true, true, 1},
	"a panic with an error":    {panics(errPlain), child.Panicked, "panic: no more disk", true, true, 1},
	"a goexit":                 {child.Func(leave), child.Goexited, "its goroutine ended (runtime.Goexit)", true, true, 1},
	"a code":                   {returns(&child.StatusError{Code: 3}), child.ExitCode, "exit code 3", true, true, 3},
	"a code inside an error":   {returns(fmt.Errorf("sh: %w", &child.StatusError{Code: 4})), child.ExitCode, "exit code 4", true, true, 4},
	"a signal":                 {returns(&child.StatusError{Signal: syscall.SIGKILL}), child.Signalled, "signal: killed", true, true, 137},
	"a signal with a core":     {returns(&child.StatusError{Signal: syscall.SIGABRT, Core: true}), child.Signalled, "signal: aborted (core dumped)", true, true, 134},
	"a start that failed":      {returns(&child.StartError{Err: errPlain}), child.StartFailed, "failed to start: no more disk", true, true, 1},
	"giving up":                {returns(&child.EndError{Kind: child.GaveUp, Err: errPlain}), child.GaveUp, "gave up: no more disk", false, true, 1},
	"giving up without cause":  {returns(&child.EndError{Kind: child.GaveUp}), child.GaveUp, "gave up", false, true, 1},
	"an automatic shutdown":    {returns(&child.EndError{Kind: child.ShutDown}), child.ShutDown, "shut down by itself", false, false, 0},
	"a nested start that fail": {returns(&child.EndError{Kind: child.StartFailed, Err: errPlain}), child.StartFailed, "failed to start: no more disk", true, true, 1},
}

func leave(context.Context) error {
	runtime.Goexit()
	return nil
}

func TestEveryWayOutOfARunIsAnExitOfItsOwnKind(t *testing.T) {
	t.Parallel()
	for name, tt := range exits {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			exit := serve(tt.run)
			if exit.Kind != tt.kind {
				t.Errorf("kind: got %v, want %v", exit.Kind, tt.kind)
			}
			if got := exit.String(); got != tt.text || exit.Error() != tt.text {
				t.Errorf("text: got %q, %q, want %q", got, exit.Error(), tt.text)
			}
			if got := exit.Abnormal(); got != tt.abnormal {
				t.Errorf("abnormal: got %v, want %v", got, tt.abnormal)
			}
			if got := exit.AsError(); (got != nil) != tt.is || got != nil && got.Error() != tt.text {
				t.Errorf("as an error: got %v, want one: %v", got, tt.is)
			}
			if got := exit.ExitStatus(); got != tt.status {
				t.Errorf("exit status: got %d, want %d", got, tt.status)
			}
		})
	}
}

func TestAnExitUnwrapsToWhatServeReturned(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{
		"an error":                    errPlain,
		"one inside another":          fmt.Errorf("log: %w", errPlain),
		"one beside another":          errors.Join(fs.ErrExist, errPlain),
		"one in the way of a start":   &child.StartError{Err: errPlain},
		"one that made a parent stop": fmt.Errorf("db: %w", &child.EndError{Kind: child.GaveUp, Err: errPlain}),
	} {
		if exit := serve(returns(err)); !errors.Is(exit.AsError(), errPlain) {
			t.Errorf("%s is not in %v", name, exit)
		}
		if !errors.Is(err, errPlain) {
			t.Errorf("%s is not in what was returned", name)
		}
	}
	if exit := serve(panics(errPlain)); !errors.Is(exit, errPlain) || errors.Is(exit, fs.ErrExist) {
		t.Errorf("a panic does not unwrap to its value: %v", exit)
	}
	var path *fs.PathError
	if exit := serve(returns(&fs.PathError{Op: "open", Path: "x", Err: errPlain})); !errors.As(exit, &path) || path.Path != "x" {
		t.Errorf("errors.As does not see through %v", exit)
	}
	var inner *child.PanicError
	if exit := serve(panics(7)); !errors.As(exit, &inner) || inner.Value != 7 || inner.Unwrap() != nil {
		t.Errorf("errors.As does not find the panic in %v", exit)
	}
	var status *child.StatusError
	if exit := serve(returns(&child.StatusError{Code: 9})); !errors.As(exit, &status) || status.Code != 9 {
		t.Errorf("errors.As does not find the status in %v", exit)
	}
	var zero child.Exit
	if zero.Unwrap() != nil || zero.AsError() != nil || zero.Text() != "" || zero.Abnormal() {
		t.Errorf("the zero exit is no normal end: %v", zero)
	}
}

func TestTheErrorsThatMakeAnExitSayWhatItSays(t *testing.T) {
	t.Parallel()
	for want, err := range map[string]error{
		"exit code 3":                   &child.StatusError{Code: 3},
		"signal: aborted (core dumped)": &child.StatusError{Signal: syscall.SIGABRT, Core: true, Code: 3},
		"no more disk":                  &child.StartError{Err: errPlain},
		"gave_up":                       &child.EndError{Kind: child.GaveUp},
		"log: no more disk":             &child.EndError{Kind: child.GaveUp, Err: fmt.Errorf("log: %w", errPlain)},
	} {
		if got := err.Error(); got != want {
			t.Errorf("%T: got %q, want %q", err, got, want)
		}
		if exit := child.ExitOf(err); exit.Kind == child.Failed {
			t.Errorf("%T is a mere error", err)
		}
	}
	if exit := child.ExitOf(&child.StartError{Err: errPlain, Temporary: true}); !exit.Temporary {
		t.Errorf("a start that failed for now has failed for good: %#v", exit)
	}
}

// overLimit is an error that says why its service has ended what it guards.
type overLimit struct{ error }

func (overLimit) StopReason() child.Reason { return child.ByLimit }

func TestAServiceThatEndsWhatItGuardsSaysWhy(t *testing.T) {
	t.Parallel()
	for _, err := range []error{overLimit{errPlain}, fmt.Errorf("cache: %w", overLimit{errPlain})} {
		exit := child.ExitOf(err)
		if exit.Kind != child.KilledByUs || exit.Reason != child.ByLimit || exit.String() != "killed (limit): "+err.Error() {
			t.Errorf("got %v", exit)
		}
	}
	status := errors.Join(&child.StatusError{Code: 3}, overLimit{errPlain})
	if exit := child.ExitOf(status); exit.Kind != child.ExitCode || exit.Reason != child.NotTold {
		t.Errorf("a code is a code: got %v", exit)
	}
}

func TestAStopMakesAFailureOnlyOfWhatHadToEnd(t *testing.T) {
	t.Parallel()
	failed := child.ExitOf(errPlain)
	for _, tt := range []struct {
		exit   child.Exit
		reason child.Reason
		killed bool
		want   string
	}{
		{child.Exit{}, child.ByShutdown, false, "normal"},
		{child.Exit{}, child.ByShutdown, true, "normal"}, // it came in time to answer
		{failed, child.ByCall, false, "error: no more disk"},
		{failed, child.ByGroup, true, "killed (group): no more disk"},
		{child.Exit{}, child.ByReadiness, false, "killed (readiness)"},
		{child.Exit{}, child.ByPing, false, "killed (ping)"},
		{failed, child.ByLimit, false, "killed (limit): no more disk"},
		{child.ExitOf(&child.StatusError{Signal: syscall.SIGKILL}), child.ByBounce, true, "killed (bounce): signal: killed"},
	} {
		exit := tt.exit
		exit.Tell(tt.reason, tt.killed)
		if exit.String() != tt.want || exit.Reason != tt.reason {
			t.Errorf("%v told %v (killed: %v): got %q, %v, want %q", tt.exit, tt.reason, tt.killed, exit, exit.Reason, tt.want)
		}
	}
	if exit := (child.Exit{Kind: child.KilledByUs}); exit.String() != "killed" || exit.ExitStatus() != 1 {
		t.Errorf("a kill without a reason is %q", exit)
	}
}

func TestAStartThatEndsEarlySaysWhy(t *testing.T) {
	t.Parallel()
	var impatient child.Exit
	impatient.Tell(child.ByReadiness, true)
	for _, tt := range []struct {
		exit child.Exit
		want string
	}{
		{child.Exit{}, "failed to start: it ended before it was ready"},
		{child.Exit{Kind: child.Goexited}, "failed to start: it ended before it was ready"},
		{impatient, "failed to start: not ready in time"},
		{child.ExitOf(errPlain), "failed to start: no more disk"},
		{child.ExitOf(&child.StatusError{Code: 127}), "failed to start: exit code 127"},
		{serve(panics("ouch")), "failed to start: ouch"},
	} {
		exit := tt.exit
		exit.FailStart()
		if exit.String() != tt.want || exit.Kind != child.StartFailed || !exit.Abnormal() {
			t.Errorf("%v: got %q, want %q", tt.exit, exit, tt.want)
		}
	}
}

// isSentinel is an error that says itself what it is.
type isSentinel struct{ target error }

func (isSentinel) Error() string          { return "own" }
func (e isSentinel) Is(target error) bool { return target == e.target }

func TestSuturesTwoErrorsAreFoundWhereverTheyAre(t *testing.T) {
	t.Parallel()
	never, end := suture.ErrDoNotRestart, suture.ErrTerminateSupervisorTree
	for name, tt := range map[string]struct {
		err        error
		never, end bool
	}{
		"never":              {never, true, false},
		"end":                {end, false, true},
		"never, wrapped":     {fmt.Errorf("done: %w", never), true, false},
		"end, wrapped twice": {fmt.Errorf("a: %w", fmt.Errorf("b: %w", end)), false, true},
		"never, joined":      {errors.Join(errPlain, never), true, false},
		"both":               {errors.Join(never, end), true, true},
		"never, by its Is":   {isSentinel{never}, true, false},
		"end, by its Is":     {fmt.Errorf("x: %w", isSentinel{end}), false, true},
		"another's Is":       {isSentinel{errPlain}, false, false},
		"a plain error":      {errPlain, false, false},
		"one inside another": {fmt.Errorf("a: %w", errPlain), false, false},
		"an Is that panics":  {hostile{is: misbehave}, false, false},
		"no error":           {nil, false, false},
		"an uncomparable":    {uncomparable{errPlain}, false, false},
	} {
		if n, e := child.ExitOf(tt.err).Sentinel(); n != tt.never || e != tt.end {
			t.Errorf("%s: got %v, %v, want %v, %v", name, n, e, tt.never, tt.end)
		}
	}
	if n, e := serve(panics(never)).Sentinel(); n || e {
		t.Error("a panic with a sentinel asks for what the sentinel asks for")
	}
}

// uncomparable is an error for which == panics.
type uncomparable []error

func (uncomparable) Error() string { return "uncomparable" }

func TestAnExitsTextIsTakenOnceInTheGoroutineOfTheRun(t *testing.T) {
	t.Parallel()
	asked := 0 // without a lock: the race detector sees who else asks
	exit := serve(child.Func(func(context.Context) error {
		return hostile{text: func() string { asked++; return "once" }}
	}))
	for range 3 {
		if exit.Text() != "once" || !strings.Contains(fmt.Sprintf("%v %s %#v", exit, exit, exit), "once") {
			t.Errorf("got %v", exit)
		}
	}
	if asked != 1 {
		t.Errorf("it was asked %d times", asked)
	}
}

// hostile is an error whose methods do what they are told.
type hostile struct {
	text   func() string
	is     func()
	as     func()
	unwrap func()
}

func (e hostile) Error() string {
	if e.text == nil {
		return "hostile"
	}
	return e.text()
}

func (e hostile) Is(error) bool { call(e.is); return false }
func (e hostile) As(any) bool   { call(e.as); return false }
func (e hostile) Unwrap() error { call(e.unwrap); return nil }

func call(f func()) {
	if f != nil {
		f()
	}
}

func misbehave() { panic("a method") }

func TestAnExitStandsWhateverTheMethodsOfTheErrorDo(t *testing.T) {
	t.Parallel()
	const sorry = "child_test.hostile, whose methods panic"
	for name, tt := range map[string]struct {
		err  error
		text string
	}{
		"Error panics":         {hostile{text: func() string { panic("a method") }}, sorry},
		"Error ends":           {hostile{text: func() string { runtime.Goexit(); return "" }}, sorry},
		"Unwrap panics":        {hostile{unwrap: misbehave}, sorry},
		"Unwrap ends":          {hostile{unwrap: runtime.Goexit}, sorry},
		"As panics":            {hostile{as: misbehave}, sorry},
		"As ends":              {hostile{as: runtime.Goexit}, sorry},
		"Is panics":            {hostile{is: misbehave}, "hostile"}, // nobody asks it
		"a typed nil":          {(*child.EndError)(nil), "*child.EndError, whose methods panic"},
		"a nil StartError":     {(*child.StartError)(nil), "*child.StartError, whose methods panic"},
		"an empty StartError":  {&child.StartError{}, "*child.StartError, whose methods panic"},
		"an uncomparable":      {uncomparable{errPlain}, "uncomparable"},
		"without any text":     {errors.New(""), ""},
		"one that wraps a nil": {fmt.Errorf("a: %w", error(nil)), "a: %!w(<nil>)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			exit := serve(returns(tt.err))
			if exit.Kind != child.Failed && exit.Kind != child.StartFailed || !exit.Abnormal() {
				t.Errorf("got kind %v", exit.Kind)
			}
			if exit.Text() != tt.text {
				t.Errorf("got %q, want %q", exit.Text(), tt.text)
			}
			if exit := serve(panics(tt.err)); exit.Kind != child.Panicked || exit.Err == nil {
				t.Errorf("as a panic: got %v", exit)
			}
		})
	}
}
