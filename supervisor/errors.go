package supervisor

import (
	"errors"
	"fmt"
	"strings"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/supervisor/internal/machine"
)

// The answers to calls. Those that OTP has are named by its word. A call's
// error is a [*CallError] around one of them, or the end of the caller's ctx.
var (
	// ErrNotFound: there is nothing at that path or of that name (not_found).
	ErrNotFound = machine.ErrNotFound
	// ErrRunning: the child runs, and the call is for one that does not
	// (running).
	ErrRunning = machine.ErrRunning
	// ErrRestarting: the child waits for a restart, and the call is for one
	// that is down (restarting).
	ErrRestarting = machine.ErrRestarting
	// ErrAlreadyStarted: a child of that name runs (already_started).
	ErrAlreadyStarted = machine.ErrAlreadyStarted
	// ErrAlreadyPresent: a child of that name is there and down
	// (already_present).
	ErrAlreadyPresent = machine.ErrAlreadyPresent
	// ErrDynamic: the children of a template cannot be restarted or deleted by
	// a call (simple_one_for_one).
	ErrDynamic = machine.ErrDynamic
	// ErrMaxChildren: the supervisor has as many children as it may.
	ErrMaxChildren = machine.ErrMaxChildren
	// ErrStarting: the supervisor waits for the start of the child that calls
	// it, and can do nothing before.
	ErrStarting = machine.ErrStarting
	// ErrStopped: the supervisor is stopping, has stopped, or does not run yet
	// (noproc).
	ErrStopped = machine.ErrStopped
	// ErrStartFailed: the child did not start. The error unwraps to the exit.
	ErrStartFailed = machine.ErrStartFailed
	// ErrInterrupted: the child was stopped before its start was complete.
	ErrInterrupted = machine.ErrInterrupted
	// ErrStuck: a run was killed and still lives.
	ErrStuck = machine.ErrStuck
	// ErrNotSupervisor: there is no supervisor at that path.
	ErrNotSupervisor = errors.New("no supervisor is at that path")
	// ErrNoTemplate: the supervisor at that path has no Template.
	ErrNoTemplate = errors.New("the supervisor has no template")
	// ErrNoTree: the context or the reference belongs to no tree.
	ErrNoTree = errors.New("it belongs to no tree")
	// ErrServing: Serve was called while the supervisor is serving.
	ErrServing = errors.New("supervisor: it is serving already")
	// ErrRootBounce: the root cannot be bounced; it has nobody to start it.
	ErrRootBounce = errors.New("the root has no supervisor to bounce it")
	// ErrNotOffered: what Get waited for cannot come: its child is down.
	ErrNotOffered = errors.New("the child is down and offers nothing")
)

// A CallError is a call that did not do what it was asked for.
type CallError struct {
	// Call is the call, in OTP's words: start_child, terminate_child, ... Never
	// empty.
	Call string
	// Path is the place that it is about; empty for the zero Ref.
	Path string
	// Err is why; never nil.
	Err error
}

// Error names call, path and reason.
func (e *CallError) Error() string {
	if e.Path == "" { // that of the zero Ref
		return fmt.Sprintf("supervisor: %s: %v", e.Call, e.Err)
	}
	return fmt.Sprintf("supervisor: %s %s: %v", e.Call, e.Path, e.Err)
}

// Unwrap is Err.
func (e *CallError) Unwrap() error { return e.Err }

// startError is ErrStartFailed with the exit that shows why.
type startError struct{ exit child.Exit }

func (e *startError) Error() string   { return e.exit.Error() }
func (e *startError) Unwrap() []error { return []error{ErrStartFailed, e.exit} }

// Cause says why a supervisor ended.
type Cause uint8

const (
	// GaveUp: a child had to be restarted too often, an exit was escalated, or
	// a child does not end.
	GaveUp = Cause(machine.GaveUp)
	// InitFailed: a child failed to start with the supervisor.
	InitFailed = Cause(machine.InitFailed)
	// ShutDown: a significant child ended with a failure.
	ShutDown = Cause(machine.Automatic)
	// TreeTerminated: a child returned suture.ErrTerminateSupervisorTree.
	TreeTerminated = Cause(machine.Terminated)
)

var causeWords = [...]string{
	GaveUp: "gave up", InitFailed: "failed to start", ShutDown: "shut down", TreeTerminated: "was terminated with its tree",
}

// String says what the supervisor did.
func (c Cause) String() string {
	if int(c) < len(causeWords) && causeWords[c] != "" {
		return causeWords[c]
	}
	return fmt.Sprintf("Cause(%d)", uint8(c))
}

// An ExitError is the end of a supervisor that somebody has to hear of. It
// unwraps to the one exit that caused it and to nothing else.
type ExitError struct {
	// Path is the supervisor; never empty.
	Path string
	// Cause is why it ended; never zero.
	Cause Cause
	// Child is the path of the child that caused it; never empty.
	Child string
	// Restarts is how often that child had been restarted automatically; zero
	// is never.
	Restarts uint64
	// Refused says that the window refused another restart; false if something
	// else ended the supervisor.
	Refused bool
	// Exit is how the child ended; zero is a normal end.
	Exit child.Exit
	// Stack is the stack of the child's run, if that does not end; else empty.
	Stack string
	// Answers are the failures of those children that were stopped after that,
	// at most 16; nil is none.
	Answers []Answer
}

// An Answer is how a child ended that was told to stop.
type Answer struct {
	// Path is the child; never empty.
	Path string
	// Exit is how it ended: a failure, and so never zero.
	Exit child.Exit
}

// Error tells who ended, through whom, and why.
func (e *ExitError) Error() string {
	what := e.Cause.String()
	switch {
	case e.Refused && e.Restarts == 1:
		what += " after 1 restart"
	case e.Refused:
		what += fmt.Sprintf(" after %d restarts", e.Restarts)
	}
	return fmt.Sprintf("supervisor: %s %s: %s: %s", e.Path, what, e.Child, e.Exit)
}

// Unwrap is the exit that caused the end.
func (e *ExitError) Unwrap() error { return e.Exit }

// A StopError is a stop that left runs behind: they were killed and still live.
type StopError struct {
	// Path is the supervisor; never empty.
	Path string
	// Blocked are the runs that live, in the order of the tree; never empty.
	Blocked []Blocked
	// Err is why the supervisor ended; nil if that was the stop.
	Err error
}

// Error names those who blocked the stop and for how long.
func (e *StopError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "supervisor: %s stopped, but still running:", e.Path)
	for i, r := range e.Blocked {
		if i > 0 {
			b.WriteString(",")
		}
		fmt.Fprintf(&b, " %s (told %v ago)", r.Path, r.Since.Round(1e6))
	}
	if e.Err != nil {
		b.WriteString("; " + e.Err.Error())
	}
	return b.String()
}

// Unwrap is ErrStuck, and why the supervisor ended.
func (e *StopError) Unwrap() []error {
	if e.Err == nil {
		return []error{ErrStuck}
	}
	return []error{ErrStuck, e.Err}
}

// ExitStatus is the exit status that a program should end with after Run has
// returned err: 0 for nil, 2 for an invalid spec, for the exit of a process
// what a shell would say, otherwise 1. It prints nothing, and an invalid spec
// is not logged either: print err.
func ExitStatus(err error) int {
	var (
		invalid *InvalidError
		exit    child.Exit
		status  *child.StatusError
	)
	switch {
	case err == nil:
		return 0
	case errors.As(err, &invalid):
		return 2
	case errors.As(err, &status):
		return child.ExitOf(status).ExitStatus()
	case errors.As(err, &exit) && exit.ExitStatus() != 0:
		return exit.ExitStatus()
	}
	return 1
}
