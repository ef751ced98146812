package child

import (
	"math"
	"time"
)

// Restart says which ends of a child are followed by a restart. The words and
// the table are OTP's.
//
//	            normal end    failure
//	Permanent   restart       restart
//	Transient   stays down    restart
//	Temporary   goes          goes
//
// A child that stays down keeps its place in the tree and can be started again
// by a call; one that goes is forgotten. The zero value is [Permanent].
type Restart uint8

const (
	// Permanent children are always restarted.
	Permanent Restart = iota
	// Transient children are restarted when they failed.
	Transient
	// Temporary children are never restarted; their place goes with them.
	Temporary
)

var restartWords = []string{Permanent: "permanent", Transient: "transient", Temporary: "temporary"}

// String is OTP's word.
func (r Restart) String() string { return word(restartWords, "Restart", r) }

// MarshalText is [Restart.String]; an unknown value is an error.
func (r Restart) MarshalText() ([]byte, error) { return encode(restartWords, "Restart", r) }

// UnmarshalText reads OTP's word; an unknown one is an error.
func (r *Restart) UnmarshalText(text []byte) error { return decode(restartWords, "Restart", text, r) }

// The grace of a stop is a duration: how long a child that was told to stop
// may take before it is killed. Zero stands for [DefaultShutdown] for a worker
// and for [Infinity] for a supervisor.
const (
	// BrutalKill is a grace of nothing: told and killed in one step.
	BrutalKill time.Duration = -1
	// Infinity is a grace without an end. The budget of the whole tree's stop
	// still bounds it.
	Infinity time.Duration = math.MaxInt64
	// DefaultShutdown is the grace of a worker that names none: OTP's 5 s.
	DefaultShutdown = 5 * time.Second
)

// Stuck says what follows when a goroutine still runs after it was killed: a
// goroutine cannot be killed, it can only be asked. The zero value is [Wait].
type Stuck uint8

const (
	// Wait: no successor starts while the old run lives. The child is shown as
	// stuck and everybody outside its group goes on.
	Wait Stuck = iota
	// Escalate: the supervisor gives up, with the stack of the run that does
	// not end. Nobody starts a successor at that place while the run lives.
	Escalate
	// Abandon: a successor starts beside the old run. The service must bear
	// that: use Fresh.
	Abandon
)

var stuckWords = []string{Wait: "wait", Escalate: "escalate", Abandon: "abandon"}

// String is the constant's name in lower case.
func (s Stuck) String() string { return word(stuckWords, "Stuck", s) }

// MarshalText is [Stuck.String]; an unknown value is an error.
func (s Stuck) MarshalText() ([]byte, error) { return encode(stuckWords, "Stuck", s) }

// UnmarshalText is the reverse of [Stuck.MarshalText].
func (s *Stuck) UnmarshalText(text []byte) error { return decode(stuckWords, "Stuck", text, s) }

// Decision is what a child's Decide function makes of an exit. The zero value
// is [ByType].
type Decision uint8

const (
	// ByType: as the child's Restart type says.
	ByType Decision = iota
	// RestartIt: restart, whatever the type says; it counts like any other.
	RestartIt
	// CompleteIt: take the run for a normal end that is not followed by a
	// restart, whatever the type says.
	CompleteIt
	// EscalateIt: the supervisor gives up at once, with this exit as the cause.
	EscalateIt
)

var decisionWords = []string{ByType: "by_type", RestartIt: "restart", CompleteIt: "complete", EscalateIt: "escalate"}

// String is the decision's word.
func (d Decision) String() string { return word(decisionWords, "Decision", d) }

// A Decider is a [Service] that says what follows its exits, as one does that
// gives a meaning to exit codes. It is asked where the spec has no Decide, in
// the same way.
type Decider interface {
	Service
	// Decides reports whether Decide is to be asked at all. It is asked once,
	// when the tree is made.
	Decides() bool
	// Decide says what follows exit.
	Decide(exit Exit) Decision
}

// Decider is whom a supervisor asks about the exits of the child: the spec's
// Decide, or a service that is a [Decider], or nil. For those who write a
// supervisor.
func (s Spec) Decider() func(Exit) Decision {
	if s.Decide != nil {
		return s.Decide
	}
	if d, ok := s.Run.(Decider); ok && d.Decides() {
		return d.Decide
	}
	return nil
}
