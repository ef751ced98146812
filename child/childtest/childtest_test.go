package childtest_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/thejerf/suture/v4"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/child/childtest"
)

// serve is the body of a service. The channel is closed when the suite is
// over: a service that hangs, or leaves something behind, waits for that, so
// that its bubble can end.
type serve func(ctx context.Context, over <-chan struct{}) error

// maker makes services of a body that shares nothing.
func maker(f serve) func(<-chan struct{}) func() child.Service {
	return func(over <-chan struct{}) func() child.Service {
		return func() child.Service {
			return child.Func(func(ctx context.Context) error { return f(ctx, over) })
		}
	}
}

// announcer is a service that announces its start.
type announcer struct{ child.Func }

func (announcer) Announces() bool { return true }

// silent is one that could and does not.
type silent struct{ child.Func }

func (silent) Announces() bool { return false }

func wait(ctx context.Context, _ <-chan struct{}) error {
	<-ctx.Done()
	return nil
}

var (
	errOwn  = errors.New("the disk is full")
	errLast = fmt.Errorf("all read: %w", suture.ErrDoNotRestart)
)

// good are services that keep the contract.
var good = map[string]struct {
	options childtest.Options
	make    func(over <-chan struct{}) func() child.Service
}{
	"one that answers nil": {make: maker(wait)},
	"one that answers with its context's error": {make: maker(func(ctx context.Context, _ <-chan struct{}) error {
		<-ctx.Done()
		return ctx.Err()
	})},
	"one that answers with the cause": {make: maker(func(ctx context.Context, _ <-chan struct{}) error {
		<-ctx.Done()
		return fmt.Errorf("accept: %w", context.Cause(ctx))
	})},
	"one that takes its time": {make: maker(func(ctx context.Context, _ <-chan struct{}) error {
		<-ctx.Done()
		time.Sleep(child.DefaultShutdown - time.Millisecond)
		return nil
	})},
	"one with goroutines": {make: maker(func(ctx context.Context, _ <-chan struct{}) error {
		var workers sync.WaitGroup
		for range 3 {
			workers.Go(func() { <-ctx.Done() })
		}
		workers.Wait()
		return nil
	})},
	"one whose goroutines are about to end": {make: maker(func(ctx context.Context, _ <-chan struct{}) error {
		go func() {
			<-ctx.Done()
			time.Sleep(time.Millisecond)
		}()
		<-ctx.Done()
		return nil
	})},
	"an announcer": {make: func(<-chan struct{}) func() child.Service {
		return func() child.Service { return announcer{readyAfter(time.Second)} }
	}},
	"one that could announce and does not": {make: func(over <-chan struct{}) func() child.Service {
		return func() child.Service {
			return silent{func(ctx context.Context) error { return wait(ctx, over) }}
		}
	}},
	"one that is asked to be ready": {
		options: childtest.Options{Ready: true},
		make: func(<-chan struct{}) func() child.Service {
			return func() child.Service { return readyAfter(time.Second) }
		},
	},
	"one that says so often": {make: maker(func(ctx context.Context, over <-chan struct{}) error {
		child.Ready(ctx)
		child.Ready(ctx)
		return wait(ctx, over)
	})},
	"a fresh one for each run": {make: func(over <-chan struct{}) func() child.Service {
		return func() child.Service { return child.Fresh(onceOnly(over)) }
	}},
	"a job":            {options: childtest.Options{Once: true}, make: maker(func(context.Context, <-chan struct{}) error { return nil })},
	"a job that fails": {options: childtest.Options{Once: true}, make: maker(func(context.Context, <-chan struct{}) error { return errOwn })},
	"a job that takes long": {options: childtest.Options{Once: true}, make: maker(func(ctx context.Context, over <-chan struct{}) error {
		select {
		case <-time.After(time.Hour):
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})},
	"a job that is never to be repeated": {options: childtest.Options{Once: true}, make: func(over <-chan struct{}) func() child.Service {
		return func() child.Service { return &repeated{answer: errLast} }
	}},
	"one that is never to be started again": {make: func(over <-chan struct{}) func() child.Service {
		return func() child.Service { return &repeated{answer: suture.ErrDoNotRestart, stays: true} }
	}},
	"one that asks who it is": {make: maker(func(ctx context.Context, over <-chan struct{}) error {
		child.Logger(ctx).Info("up")
		child.Publish(ctx, "an address")
		if child.Path(ctx) == "" || child.Incarnation(ctx) == 0 || child.Redact(ctx, "token=x") != "token=***" {
			return errOwn
		}
		return wait(ctx, over)
	})},
	"one that guards something": {make: maker(func(ctx context.Context, _ <-chan struct{}) error {
		<-ctx.Done()
		select {
		case <-child.Killed(ctx):
			return &child.StatusError{Signal: 9}
		case <-time.After(time.Second):
			return nil
		}
	})},
}

// readyAfter is a service whose start takes d.
func readyAfter(d time.Duration) child.Func {
	return func(ctx context.Context) error {
		select {
		case <-time.After(d):
		case <-ctx.Done():
			return ctx.Err()
		}
		child.Ready(ctx)
		<-ctx.Done()
		return nil
	}
}

// onceOnly makes services that panic when they are served again.
func onceOnly(over <-chan struct{}) func() child.Service {
	return func() child.Service {
		stopped := make(chan struct{})
		return child.Func(func(ctx context.Context) error {
			defer close(stopped)
			return wait(ctx, over)
		})
	}
}

// repeated is a service that panics when it is served again.
type repeated struct {
	answer error
	stays  bool
	served bool
}

func (r *repeated) Serve(ctx context.Context) error {
	if r.served {
		panic("served again")
	}
	r.served = true
	if r.stays {
		<-ctx.Done()
	}
	return r.answer
}

// test runs the suite in a bubble and returns its violations, and how long it
// took there.
func test(t *testing.T, options childtest.Options, newMaker func(<-chan struct{}) func() child.Service) (violations []*childtest.Violation, took time.Duration) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		over := make(chan struct{})
		defer close(over)
		start := time.Now()
		err := childtest.Test(newMaker(over), options)
		took = time.Since(start)
		violations = list(t, err)
	})
	return violations, took
}

// list is what is joined in err.
func list(t *testing.T, err error) (violations []*childtest.Violation) {
	t.Helper()
	if err == nil {
		return nil
	}
	var joined interface{ Unwrap() []error }
	if !errors.As(err, &joined) {
		t.Fatalf("not joined: %v", err)
	}
	for _, err := range joined.Unwrap() {
		var v *childtest.Violation
		if !errors.As(err, &v) {
			t.Fatalf("no violation: %v", err)
		}
		violations = append(violations, v)
	}
	return violations
}

func TestAServiceThatKeepsTheContractHasNoViolations(t *testing.T) {
	t.Parallel()
	for name, tt := range good {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			violations, _ := test(t, tt.options, tt.make)
			for _, v := range violations {
				t.Error(v)
			}
		})
	}
}

func TestEachMistakeIsAViolationOfItsOwnCase(t *testing.T) {
	t.Parallel()
	caught := map[string]bool{}
	for name, tt := range bad {
		caught[tt.want] = true
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			violations, took := test(t, tt.options, tt.make)
			if len(violations) != 1 || violations[0].Case != tt.want {
				t.Fatalf("got %v, want one of %q", violations, tt.want)
			}
			checkText(t, violations[0], tt.says)
			if took > 10*child.DefaultShutdown {
				t.Errorf("it took %v", took)
			}
		})
	}
	for _, name := range caseNames(t) {
		if !caught[name] {
			t.Errorf("no bad service is caught by %q", name)
		}
	}
}

func TestAServiceThatHangsDoesNotHangTheSuite(t *testing.T) {
	t.Parallel()
	const grace = time.Hour
	hang := maker(func(_ context.Context, over <-chan struct{}) error {
		<-over
		return nil
	})
	violations, took := test(t, childtest.Options{Grace: grace, Ready: true}, hang)
	if len(violations) != 1 || took > 4*grace {
		t.Errorf("after %v: %v", took, violations)
	}
	if exit := violations[0].Exit; exit != (child.Exit{}) || violations[0].Unwrap() != nil {
		t.Errorf("a run that did not end has ended with %v", exit)
	}
}

// checkText checks what a violation says.
func checkText(t *testing.T, v *childtest.Violation, says string) {
	t.Helper()
	if v.What == "" || v.Why == "" || v.Error() != "childtest: "+v.Case+": "+v.What+"; "+v.Why || !strings.Contains(v.What, says) {
		t.Errorf("%#v does not say %q", v, says)
	}
}

func TestAViolationSaysWhichCaseAndWhatAndWhy(t *testing.T) {
	t.Parallel()
	violations, _ := test(t, childtest.Options{}, bad["it answers with an error of its own"].make)
	if len(violations) != 1 {
		t.Fatalf("got %v", violations)
	}
	checkText(t, violations[0], `"the disk is full"`)
	if !errors.Is(violations[0], errOwn) {
		t.Errorf("a violation does not unwrap to what Serve returned: %v", violations)
	}
}

func TestOptionsThatAreNotGivenHaveDefaults(t *testing.T) {
	t.Parallel()
	slow := maker(func(ctx context.Context, _ <-chan struct{}) error {
		<-ctx.Done()
		time.Sleep(child.DefaultShutdown + time.Millisecond)
		return nil
	})
	if violations, _ := test(t, childtest.Options{Grace: -1}, slow); len(violations) != 1 || violations[0].Case != "stop" {
		t.Errorf("a grace of five seconds: got %v", violations)
	}
	if violations, _ := test(t, childtest.Options{Grace: time.Minute}, slow); violations != nil {
		t.Errorf("a grace of a minute: got %v", violations)
	}
	brief := maker(func(ctx context.Context, _ <-chan struct{}) error {
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
		return nil
	})
	if violations, _ := test(t, childtest.Options{}, brief); violations != nil {
		t.Errorf("nobody looks on for a second: got %v", violations)
	}
	if violations, _ := test(t, childtest.Options{Watch: time.Minute}, brief); len(violations) != 1 || violations[0].Case != "stays" {
		t.Errorf("somebody looks on for a minute: got %v", violations)
	}
}

func TestNoServiceIsNoViolation(t *testing.T) {
	t.Parallel()
	for _, s := range []child.Service{nil, child.Func(nil), child.Fresh(nil)} {
		err := childtest.Test(func() child.Service { return s }, childtest.Options{})
		var v *childtest.Violation
		if err == nil || errors.As(err, &v) {
			t.Errorf("%T: got %v", s, err)
		}
	}
}

func TestWithoutABubbleTheSuiteWorksOnTheWallClock(t *testing.T) {
	t.Parallel()
	for name, want := range map[string][]string{
		"good": nil, "it panics": {"panic"}, "it leaves a goroutine": {"goroutines"}, "it ignores its context": {"stop"},
	} {
		over := make(chan struct{})
		// Only one that is found to be bad waits for the grace to end.
		options, newMaker := childtest.Options{Grace: time.Minute, Watch: 20 * time.Millisecond}, maker(wait)
		if want != nil {
			options.Grace, newMaker = 50*time.Millisecond, bad[name].make
		}
		var got []string
		for _, v := range list(t, childtest.Test(newMaker(over), options)) {
			got = append(got, v.Case)
		}
		close(over)
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

func TestSuitesRunSideBySide(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var suites sync.WaitGroup
		for range 10 {
			suites.Go(func() {
				newService := func() child.Service { return announcer{readyAfter(time.Second)} }
				if err := childtest.Test(newService, childtest.Options{}); err != nil {
					t.Error(err)
				}
			})
		}
		suites.Wait()
	})
}

func leave(context.Context, <-chan struct{}) error {
	runtime.Goexit()
	return nil
}
