package child_test

import (
	"errors"
	"fmt"
	"syscall"
	"testing"

	"github.com/coppice-go/coppice/child"
)

// tooMuch is an error of the kind that a service returns which has ended
// what it guards.
type tooMuch struct{ cause child.Cause }

func (tooMuch) Error() string            { return "too much" }
func (tooMuch) StopReason() child.Reason { return child.ByLimit }
func (e tooMuch) ExitCause() child.Cause { return e.cause }
func told(e child.Exit, r child.Reason) child.Exit {
	e.Tell(r, true)
	return e
}

func unstarted(e child.Exit) child.Exit {
	e.FailStart()
	return e
}

func TestEveryExitHasACauseOfTheClosedList(t *testing.T) {
	t.Parallel()
	failed := child.ExitOf(errors.New("no"))
	code := child.ExitOf(&child.StatusError{Code: 3})
	signal := child.ExitOf(&child.StatusError{Signal: syscall.SIGSEGV})
	oom := child.ExitOf(&child.StatusError{Signal: syscall.SIGKILL, OOM: true})
	panicked := child.Exit{Kind: child.Panicked, Err: child.Recovered("oh")}
	tests := map[string]struct {
		exit child.Exit
		want child.Cause
	}{
		"a clean end":                        {child.Exit{}, child.CauseNormal},
		"an automatic shutdown":              {child.Exit{Kind: child.ShutDown}, child.CauseNormal},
		"an error":                           {failed, child.CauseError},
		"a panic":                            {panicked, child.CausePanic},
		"a goexit":                           {child.Exit{Kind: child.Goexited}, child.CauseGoexit},
		"a code":                             {code, child.CauseCode},
		"a signal":                           {signal, child.CauseSignal},
		"no memory in the system":            {oom, child.CauseOOM},
		"giving up":                          {child.Exit{Kind: child.GaveUp}, child.CauseGaveUp},
		"a shutdown":                         {told(child.Exit{}, child.ByShutdown), child.CauseStop},
		"a call":                             {told(signal, child.ByCall), child.CauseStop},
		"a failed sibling":                   {told(failed, child.ByGroup), child.CauseGroup},
		"a bounce":                           {told(child.Exit{}, child.ByBounce), child.CauseBounce},
		"no answer to a ping":                {told(child.Exit{}, child.ByPing), child.CausePing},
		"too long a start":                   {unstarted(told(child.Exit{}, child.ByReadiness)), child.CauseReadiness},
		"a limit that nobody names":          {told(child.Exit{}, child.ByLimit), child.CauseUnknown},
		"a limit that the error names":       {child.ExitOf(tooMuch{child.CauseMemory}), child.CauseMemory},
		"a limit named by an error within":   {child.ExitOf(fmt.Errorf("in: %w", tooMuch{child.CauseCPU})), child.CauseCPU},
		"a limit whose error makes words up": {child.ExitOf(tooMuch{200}), child.CauseUnknown},
		"a start that failed by an error":    {unstarted(failed), child.CauseError},
		"a start that failed by a code":      {unstarted(code), child.CauseCode},
		"a start that panicked":              {unstarted(panicked), child.CausePanic},
		"a start that ended too early":       {unstarted(child.Exit{}), child.CauseError},
		"a kind that does not exist":         {child.Exit{Kind: 200}, child.CauseUnknown},
		"a reason that does not exist":       {child.Exit{Kind: child.KilledByUs, Reason: 200}, child.CauseUnknown},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := tt.exit.Cause(); got != tt.want {
				t.Errorf("%#v: got %v, want %v", tt.exit, got, tt.want)
			}
		})
	}
	for kind := child.Normal; kind.String()[0] != 'K'; kind++ {
		if c := (child.Exit{Kind: kind}).Cause(); int(c) >= child.Causes || c == child.CauseUnknown && kind != child.KilledByUs {
			t.Errorf("kind %v has the cause %v", kind, c)
		}
	}
	for r := child.ByShutdown; r.String()[0] != 'R'; r++ {
		if c := told(child.Exit{}, r).Cause(); c == child.CauseUnknown && r != child.ByLimit {
			t.Errorf("reason %v has no cause", r)
		}
	}
}
