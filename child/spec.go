package child

import (
	"log/slog"
	"time"

	"github.com/coppice-go/coppice/strategies"
)

// Spec says what a child is and how it is to be treated. It is data: it can be
// copied, compared with [Spec.Equal], printed, logged and marshalled, at any
// time and from any goroutine. What Run points to is shared by all copies and
// never looked into: Run and functions print as their names.
type Spec struct {
	// Name is the child's name among its siblings: 1 to 63 letters, digits,
	// '.', '_', '-', not beginning with a dot or a dash. Required.
	Name string
	// Run is the service. Required.
	Run Service
	// Restart says when the child is restarted. Optional; zero is Permanent.
	Restart Restart
	// Shutdown is the grace of a stop: how long the child may take from when
	// it is told until it is killed. Optional; zero is DefaultShutdown for a
	// worker and Infinity for a supervisor. BrutalKill gives no grace.
	Shutdown time.Duration
	// Significant says that the end of this child, when it is not followed by
	// a restart, counts for its supervisor's AutoShutdown (OTP's significant).
	// Optional; not for Permanent children.
	Significant bool
	// Backoff says how long to wait before a restart. Optional; the zero
	// value follows the supervisor's Backoff.
	Backoff strategies.Backoff
	// Ready says when the child's start is complete. Optional; zero is: when
	// the service says so if it is an Announcer, else at once.
	Ready Readiness
	// Liveness says by what signs a run is taken for alive. Optional; zero is:
	// it is asked for none, unless the service is a Pinger.
	Liveness Liveness
	// Stuck says what follows when the child still runs after it was killed.
	// Optional, but required for a child with a Liveness that cannot be killed;
	// zero is Wait.
	Stuck Stuck
	// Decide is asked about every exit of a run that had started and was not
	// told to stop, in a goroutine of its own and for at most five seconds.
	// Suture's two errors need no decision, and it is not asked about them. A
	// Decide that panics or takes longer has said ByType. Optional.
	Decide func(Exit) Decision
	// OwnThread gives each run a new goroutine. It is for a service that locks
	// its operating system thread and leaves it so. Optional.
	OwnThread bool
}

// A Specer is whatever can say what child it is: a [Spec], a supervisor's
// spec, or a type of the user's. ChildSpec is called once, when a tree is
// made, in the caller's goroutine.
type Specer interface {
	// ChildSpec is the spec of the child. It is called once, when a tree is made.
	ChildSpec() Spec
}

// ChildSpec is s itself, so that a Spec is a [Specer].
func (s Spec) ChildSpec() Spec { return s }

// Equal reports whether s and t hold the same data. Services and functions
// count as equal if they have the same name.
func (s Spec) Equal(t Spec) bool { return s.Data().Equal(t.Data()) }

// Data is what of s can be shown: every field that is not zero, services and
// functions by name.
func (s Spec) Data() Data {
	var d Data
	d.Add("name", s.Name, s.Name != "")
	d.Add("run", NameOf(s.Run), s.Run != nil)
	d.Add("restart", s.Restart.String(), s.Restart != Permanent)
	d.Add("shutdown", Grace(s.Shutdown), s.Shutdown != 0)
	d.Add("significant", true, s.Significant)
	d.Add("backoff", s.Backoff.String(), s.Backoff != (strategies.Backoff{}))
	d.Add("ready", s.Ready.Data(), !s.Ready.IsZero())
	d.Add("liveness", s.Liveness.Data(), !s.Liveness.IsZero())
	d.Add("stuck", s.Stuck.String(), s.Stuck != Wait)
	d.Add("decide", NameOf(s.Decide), s.Decide != nil)
	d.Add("own_thread", true, s.OwnThread)
	return d
}

// String shows the data of s.
func (s Spec) String() string { return s.Data().String() }

// GoString shows the data of s, so that %#v does not look into a live service.
func (s Spec) GoString() string { return "child.Spec" + s.Data().String() }

// LogValue shows the data of s as a group.
func (s Spec) LogValue() slog.Value { return s.Data().LogValue() }

// MarshalJSON shows the data of s as an object.
func (s Spec) MarshalJSON() ([]byte, error) { return s.Data().MarshalJSON() }
