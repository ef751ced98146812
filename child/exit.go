package child

import (
	"errors"
	"fmt"
	"strconv"
	"syscall"

	"github.com/thejerf/suture/v4"
)

// Kind says how a run ended. The zero value is [Normal].
type Kind uint8

const (
	// Normal: Serve returned nil, or answered a stop as it should.
	Normal Kind = iota
	// Failed: Serve returned an error.
	Failed
	// Panicked: the run panicked; Err is a [*PanicError].
	Panicked
	// Goexited: the run ended its goroutine with runtime.Goexit.
	Goexited
	// ExitCode: a process ended with a code other than 0.
	ExitCode
	// Signalled: a process was ended by a signal.
	Signalled
	// GaveUp: a supervisor ended because it had to restart too often, or was
	// told to escalate. For its parent that is OTP's shutdown.
	GaveUp
	// ShutDown: a supervisor ended by itself, as its automatic shutdown says.
	ShutDown
	// KilledByUs: we ended the run; Reason says why.
	KilledByUs
	// StartFailed: the run ended before its start was complete.
	StartFailed
)

var kindWords = []string{
	Normal: "normal", Failed: "error", Panicked: "panic", Goexited: "goexit", ExitCode: "code",
	Signalled: "signal", GaveUp: "gave_up", ShutDown: "shutdown", KilledByUs: "killed", StartFailed: "start_failed",
}

// String is the kind's word.
func (k Kind) String() string { return word(kindWords, "Kind", k) }

// MarshalText is [Kind.String]; an unknown value is an error.
func (k Kind) MarshalText() ([]byte, error) { return encode(kindWords, "Kind", k) }

// UnmarshalText is the reverse of [Kind.MarshalText].
func (k *Kind) UnmarshalText(text []byte) error { return decode(kindWords, "Kind", text, k) }

// Reason says why a run was told to stop. The zero value says that it was not.
type Reason uint8

const (
	// NotTold: the run ended by itself.
	NotTold Reason = iota
	// ByShutdown: its supervisor stops.
	ByShutdown
	// ByCall: somebody asked for it with a call.
	ByCall
	// ByGroup: a sibling failed whose fate it shares.
	ByGroup
	// ByBounce: somebody asked for a new start.
	ByBounce
	// ByReadiness: its start took longer than its patience.
	ByReadiness
	// ByPing: it did not answer its pings.
	ByPing
	// ByLimit: it used more than it may.
	ByLimit
	// ByBeat: it did not beat in time.
	ByBeat
	// ByMaxRun: it ran for as long as it may.
	ByMaxRun
)

var reasonWords = []string{
	NotTold: "", ByShutdown: "shutdown", ByCall: "call", ByGroup: "group", ByBounce: "bounce",
	ByReadiness: "readiness", ByPing: "ping", ByLimit: "limit",
	ByBeat: "beat", ByMaxRun: "max_run",
}

// String is the reason's word, empty for [NotTold].
func (r Reason) String() string { return word(reasonWords, "Reason", r) }

// MarshalText is [Reason.String]; an unknown value is an error.
func (r Reason) MarshalText() ([]byte, error) { return encode(reasonWords, "Reason", r) }

// UnmarshalText is the reverse of [Reason.MarshalText].
func (r *Reason) UnmarshalText(text []byte) error { return decode(reasonWords, "Reason", text, r) }

// Failure reports whether a run that was told to stop for this reason has
// failed, whatever it returns.
func (r Reason) Failure() bool { return r >= ByReadiness }

// Exit says how one run ended. The zero value is a normal end. It is a plain
// value; what Err holds is shared with whoever made it.
type Exit struct {
	// Kind is how it ended; zero is Normal.
	Kind Kind
	// Reason is why it was told to stop; zero, NotTold, if it was not.
	Reason Reason
	// Core says, with kind Signalled, that the system wrote a core file.
	Core bool
	// OOM says, with kind Signalled, that the system killed the process for
	// want of memory.
	OOM bool
	// Temporary says, with kind StartFailed, that the start failed for now
	// (something was short) and not for good (something is missing).
	Temporary bool
	// plain says that Err has nothing in it but itself.
	plain bool
	// cause is the one that Err names, if it does.
	cause Cause
	// Code is the code of a process that ended with one other than 0: its kind
	// is ExitCode, or KilledByUs or StartFailed if we had a part in it. Else
	// zero.
	Code int32
	// Signal is what ended a process that died of a signal: its kind is
	// Signalled, or KilledByUs or StartFailed likewise. Else zero.
	Signal syscall.Signal
	// Err is what Serve returned, a [*PanicError] after a panic, nil where
	// there is nothing to say.
	Err error

	// text is Err's text, taken in the goroutine of the run.
	text string
}

// Abnormal reports whether the run failed: whether a [Transient] child is
// restarted after it. A supervisor that gave up or shut itself down did not
// fail in this sense; its own children did.
func (e Exit) Abnormal() bool {
	return e.Kind != Normal && e.Kind != GaveUp && e.Kind != ShutDown
}

// AsError is nil if the run neither failed nor gave up, else e.
func (e Exit) AsError() error {
	if e.Kind == Normal || e.Kind == ShutDown {
		return nil
	}
	return e
}

// Error describes the exit in one line without control characters.
func (e Exit) Error() string { return e.String() }

// Unwrap is Err.
func (e Exit) Unwrap() error { return e.Err }

// Text is the text of Err, at most a kilobyte in one line without control
// characters. It was taken when the run ended; Err itself is not asked.
func (e Exit) Text() string { return e.text }

// ExitStatus is the exit status by which a shell would tell of this exit: the
// code of a process, 128 and the number of its signal, 0 for a normal end, 1
// for anything else.
func (e Exit) ExitStatus() int {
	switch {
	case e.Kind == ExitCode:
		return int(e.Code)
	case e.Kind == Signalled:
		return 128 + int(e.Signal)
	case e.AsError() == nil:
		return 0
	}
	return 1
}

// String describes the exit in one line without control characters.
func (e Exit) String() string {
	var s string
	switch e.Kind {
	case Normal:
		s = "normal"
	case ShutDown:
		s = "shut down by itself"
	case Goexited:
		s = "its goroutine ended (runtime.Goexit)"
	case ExitCode:
		s = "exit code " + strconv.Itoa(int(e.Code))
	case Signalled:
		s = "signal: " + e.Signal.String()
		if e.Core {
			s += " (core dumped)"
		}
		if e.OOM {
			s += " (out of memory)"
		}
	case KilledByUs:
		s = "killed" + e.why() + e.because()
	case StartFailed:
		s = "failed to start" + e.because()
	case GaveUp:
		s = "gave up" + e.because()
	case Panicked:
		s = "panic" + e.because()
	default:
		s = "error" + e.because()
	}
	return s
}

func (e Exit) why() string {
	if e.Reason == NotTold {
		return ""
	}
	return " (" + e.Reason.String() + ")"
}

func (e Exit) because() string {
	if e.text == "" {
		return ""
	}
	return ": " + e.text
}

// Tell makes e the end of a run that was told to stop for reason r, killed if
// its grace was over. A run that had to end because it failed has been killed,
// whatever it answered. For those who write a supervisor.
func (e *Exit) Tell(r Reason, killed bool) {
	e.Reason = r
	if r.Failure() || killed && e.Kind != Normal {
		e.Kind = KilledByUs
	}
}

// Explain puts why, which is for one line, before the text of e: the run did
// not know why it was told to stop. For those who write a supervisor.
func (e *Exit) Explain(why string) {
	if e.Kind != Normal {
		why += "; then " + e.String()
	}
	e.text = clean(why)
}

// FailStart makes e the end of a run whose start was not complete. For those
// who write a supervisor.
func (e *Exit) FailStart() {
	switch {
	case e.Kind == KilledByUs && e.text == "":
		e.text = "not ready in time"
	case e.Kind == KilledByUs:
	case e.Kind == Goexited || e.Kind == Normal:
		e.text = "it ended before it was ready"
	}
	e.Kind = StartFailed
}

// A StartError is what a [Service] returns that could not start.
type StartError struct {
	// Err is what was in the way. Required.
	Err error
	// Temporary says that it failed for now and may succeed unchanged later.
	Temporary bool
}

// Error is the text of Err.
func (e *StartError) Error() string { return e.Err.Error() }

// Unwrap is Err.
func (e *StartError) Unwrap() error { return e.Err }

// EndError is what a supervisor's Serve returns to the supervisor above it, so
// that the exit has its kind. It is for those who write a supervisor: a service
// that returns it has failed like any other.
type EndError struct {
	// Kind is GaveUp, ShutDown or StartFailed. Required.
	Kind Kind
	// Err is the cause; nil if there is none.
	Err error
}

// Error is the text of Err, or the kind's word.
func (e *EndError) Error() string {
	if e.Err == nil {
		return e.Kind.String()
	}
	return e.Err.Error()
}

// Unwrap is Err.
func (e *EndError) Unwrap() error { return e.Err }

// ExitOf is the exit of a run whose Serve returned err. It calls methods of
// err, which are the user's: a panic in them is contained and becomes the
// text, and a Goexit in them ends the calling goroutine.
//
// Where there is an error in err with a method StopReason() Reason that is a
// [Reason.Failure], the service has ended what it guards for that reason, and
// the kind is KilledByUs. A method ExitCause() Cause of such an error says more
// exactly what [Exit.Cause] is. An err that is itself a [*PanicError], as made
// by [PanicElsewhere], is a panic.
func ExitOf(err error) (exit Exit) {
	if err != nil {
		classify(err, &exit)
	}
	return exit
}

// classify fills exit by what Serve returned. The kind is set first, so that
// an err whose methods panic, or end the goroutine, has still failed.
func classify(err error, exit *Exit) {
	exit.Kind, exit.Err = Failed, err
	asked := false
	defer func() {
		if !asked {
			_ = recover()
			exit.text = unspeakable(err)
		}
	}()
	if exit.plain = !wraps(err); !exit.plain {
		unwrap(err, exit)
	}
	if exit.Err != nil {
		exit.text = clean(exit.Err.Error())
	}
	asked = true
}

// unspeakable is the text of a value that cannot say what it is.
func unspeakable(v any) string { return clean(fmt.Sprintf("%T, whose methods panic", v)) }

// wraps reports whether errors.Is and errors.As can find more in err than err
// itself. Most errors in a crash loop are plain, and looking into them would
// cost more than the restart.
func wraps(err error) bool {
	switch err.(type) { //nolint:errorlint // what err is itself is the question
	case *StatusError, *StartError, *EndError,
		interface{ Unwrap() error }, interface{ Unwrap() []error },
		interface{ As(any) bool }, interface{ Is(error) bool }, told:
		return true
	}
	return false
}

func unwrap(err error, exit *Exit) {
	var (
		told   told
		end    *EndError
		start  *StartError
		status *StatusError
	)
	if _, ok := err.(*PanicError); ok { //nolint:errorlint // a panic deeper in the chain is not this run's
		exit.Kind = Panicked
		return
	}
	switch {
	case errors.As(err, &end):
		exit.Kind, exit.Err = end.Kind, end.Err
	case errors.As(err, &start):
		exit.Kind, exit.Temporary = StartFailed, start.Temporary
	case errors.As(err, &status):
		status.fill(exit)
	case errors.As(err, &told) && told.StopReason().Failure():
		exit.Tell(told.StopReason(), true)
		exit.cause = causeIn(err)
	}
}

// Sentinel reports what suture's two errors ask for, wherever they are in err:
// that this child is never started again, or that the tree above it ends. For
// those who write a supervisor.
func (e Exit) Sentinel() (never, terminate bool) {
	if e.Kind != Failed || e.Err == nil {
		return false, false
	}
	if e.plain && e.Err != suture.ErrDoNotRestart && e.Err != suture.ErrTerminateSupervisorTree { //nolint:errorlint // it wraps nothing
		return false, false
	}
	if e.Err == suture.ErrDoNotRestart || e.Err == suture.ErrTerminateSupervisorTree { //nolint:errorlint // the fast path of the lines below
		return e.Err == suture.ErrDoNotRestart, e.Err == suture.ErrTerminateSupervisorTree //nolint:errorlint // as above
	}
	defer func() { _ = recover() }() // Is and Unwrap are the user's
	return errors.Is(e.Err, suture.ErrDoNotRestart), errors.Is(e.Err, suture.ErrTerminateSupervisorTree)
}
