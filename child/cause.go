package child

import "errors"

// Cause sorts the ends of runs into a short closed list, for counters: unlike
// an [Exit] it holds nothing that a program could make up. The zero value is
// [CauseUnknown].
type Cause uint8

const (
	// CauseUnknown: none of the others.
	CauseUnknown Cause = iota
	// CauseNormal: it ended by itself and well, or shut itself down.
	CauseNormal
	// CauseStop: its supervisor stopped, or a call asked for its end.
	CauseStop
	// CauseError: it returned an error, or could not start.
	CauseError
	// CausePanic: it panicked.
	CausePanic
	// CauseGoexit: it ended its goroutine.
	CauseGoexit
	// CauseCode: the process ended with a code other than 0.
	CauseCode
	// CauseSignal: a signal ended the process.
	CauseSignal
	// CauseOOM: the system killed the process for want of memory.
	CauseOOM
	// CausePing: it did not answer its pings.
	CausePing
	// CauseBeat: it did not beat in time.
	CauseBeat
	// CauseWatchdog: the process did not tell its watchdog in time.
	CauseWatchdog
	// CauseReadiness: its start took longer than its patience.
	CauseReadiness
	// CauseRuntime: it ran for as long as it may.
	CauseRuntime
	// CauseMemory: it used more memory than it may.
	CauseMemory
	// CauseCPU: it used more processor time than it may.
	CauseCPU
	// CauseGroup: a sibling failed whose fate it shares.
	CauseGroup
	// CauseBounce: somebody asked for a new start.
	CauseBounce
	// CauseGaveUp: it is a supervisor, and gave up.
	CauseGaveUp
)

// Causes is how many causes there are: they are the numbers below it.
const Causes = int(CauseGaveUp) + 1

var causeWords = []string{
	CauseUnknown: "unknown", CauseNormal: "normal", CauseStop: "stop", CauseError: "error",
	CausePanic: "panic", CauseGoexit: "goexit", CauseCode: "code", CauseSignal: "signal", CauseOOM: "oom",
	CausePing: "ping", CauseBeat: "beat", CauseWatchdog: "watchdog", CauseReadiness: "readiness",
	CauseRuntime: "runtime", CauseMemory: "memory", CauseCPU: "cpu", CauseGroup: "group",
	CauseBounce: "bounce", CauseGaveUp: "gave_up",
}

// String is the cause's word.
func (c Cause) String() string { return word(causeWords, "Cause", c) }

// MarshalText is [Cause.String]; an unknown value is an error.
func (c Cause) MarshalText() ([]byte, error) { return encode(causeWords, "Cause", c) }

// UnmarshalText is the reverse of [Cause.MarshalText].
func (c *Cause) UnmarshalText(text []byte) error { return decode(causeWords, "Cause", text, c) }

// reasonCauses are the causes of runs that were told to stop. What a reason
// leaves open, an error with a method ExitCause says; see [ExitOf].
var reasonCauses = [...]Cause{
	ByShutdown: CauseStop, ByCall: CauseStop, ByGroup: CauseGroup, ByBounce: CauseBounce,
	ByReadiness: CauseReadiness, ByPing: CausePing, ByLimit: CauseUnknown, ByBeat: CauseBeat, ByMaxRun: CauseRuntime,
}

// told is an error that says why a run was told to stop.
type told interface{ StopReason() Reason }

// caused is an error that names the cause of an exit.
type caused interface{ ExitCause() Cause }

// Cause is the cause of the exit. It looks into nothing that is the user's.
func (e Exit) Cause() Cause {
	switch {
	case e.cause != CauseUnknown:
		return e.cause
	case e.Reason != NotTold && int(e.Reason) < len(reasonCauses):
		return reasonCauses[e.Reason]
	case e.OOM:
		return CauseOOM
	case e.Signal != 0: // also of a start that failed
		return CauseSignal
	case e.Code != 0:
		return CauseCode
	}
	switch e.Kind {
	case Normal, ShutDown:
		return CauseNormal
	case Panicked:
		return CausePanic
	case Goexited:
		return CauseGoexit
	case GaveUp:
		return CauseGaveUp
	case Failed:
		return CauseError
	case ExitCode:
		return CauseCode
	case Signalled:
		return CauseSignal
	case StartFailed:
		return e.unstarted()
	}
	return CauseUnknown
}

// unstarted is the cause of a start that failed.
func (e Exit) unstarted() Cause {
	if _, panicked := e.Err.(*PanicError); panicked { //nolint:errorlint // nothing is to be called that is the user's
		return CausePanic
	}
	return CauseError
}

// causeIn is the cause that an error in err names, if one does.
func causeIn(err error) Cause {
	var caused caused
	if !errors.As(err, &caused) {
		return CauseUnknown
	}
	if c := caused.ExitCause(); int(c) < Causes {
		return c
	}
	return CauseUnknown
}
