package child

import (
	"context"
	"time"
)

// The defaults of a [Liveness] with a ping are Celery's.
const (
	// DefaultInterval is the time between two pings.
	DefaultInterval = 2 * time.Second
	// DefaultTimeout is how long the answer to a ping may take.
	DefaultTimeout = 30 * time.Second
)

// Liveness says by what signs a run is taken for alive once its start is
// complete. A run that gives none in time, or that has lasted too long, is
// told to stop and then killed like any other, has failed whatever it returns,
// and is followed by a restart as the spec says. The zero value asks for
// nothing.
//
// Times are looked at eight times in each, but not more often than every ten
// milliseconds: what is wrong is never found too early, and an eighth too late
// (and with a ping an eighth of the shorter of Interval and Timeout).
//
// A child that cannot be killed, which is one whose service is no [Killer],
// has to say with its Stuck what follows if it still runs: [Wait] would have
// nobody in its place.
type Liveness struct {
	// Timeout is how long the answer to a ping may take. For a child without a
	// ping it is how long a run may go without a [Beat]: the time begins with
	// the run, and anew with each beat. Optional; zero is DefaultTimeout for a child with a ping, and
	// without one it is for ever.
	Timeout time.Duration
	// Silence is how long a run of a child with a ping may go without a Beat
	// all the same. Optional; zero is for ever. Without a ping that is
	// Timeout.
	Silence time.Duration
	// Ping asks the run whether it is alive; an error is no. Its context has
	// the values of the run's and ends with Timeout and with the run. It is
	// called in a goroutine of its own, and not again before it has returned;
	// one that panics, ends its goroutine or answers late has failed.
	// Optional; zero is the service's own, if it is a Pinger.
	Ping func(ctx context.Context) error
	// Interval is the time from one ping to the next. Optional; zero is
	// DefaultInterval for a child with a ping.
	Interval time.Duration
	// Failures is how many pings in a row must fail. Optional; zero is 1.
	Failures int
	// MaxRun is how long a run may last, from when its start is complete. It
	// is exact. Optional; zero is for ever.
	MaxRun time.Duration
}

// IsZero reports whether l asks for nothing.
func (l Liveness) IsZero() bool {
	return l.Ping == nil && l.Timeout == 0 && l.Silence == 0 && l.Interval == 0 && l.Failures == 0 && l.MaxRun == 0
}

// Data is what of l can be shown, a function by its name.
func (l Liveness) Data() Data {
	var d Data
	d.Add("timeout", l.Timeout.String(), l.Timeout != 0)
	d.Add("silence", l.Silence.String(), l.Silence != 0)
	d.Add("ping", NameOf(l.Ping), l.Ping != nil)
	d.Add("interval", l.Interval.String(), l.Interval != 0)
	d.Add("failures", l.Failures, l.Failures != 0)
	d.Add("max_run", l.MaxRun.String(), l.MaxRun != 0)
	return d
}

// String shows the data of l.
func (l Liveness) String() string { return l.Data().String() }

// GoString shows the data of l.
func (l Liveness) GoString() string { return "child.Liveness" + l.Data().String() }

// MarshalJSON shows the data of l as an object.
func (l Liveness) MarshalJSON() ([]byte, error) { return l.Data().MarshalJSON() }

// A Pinger is a [Service] that can be asked whether it is alive. It is asked
// where the spec's [Liveness] has no Ping, in the same way.
type Pinger interface {
	Service
	// Pings reports whether Ping is to be asked at all. It is asked when the
	// tree is made and at the start of each run.
	Pings() bool
	// Ping answers for the run that ctx belongs to; an error is no.
	Ping(ctx context.Context) error
}

// A Killer is a [Service] that can be killed: when [Killed] closes, its run
// ends whatever it is at, as that of a process does.
type Killer interface {
	Service
	// Kills reports whether it can be killed. It is asked once, when the tree
	// is made.
	Kills() bool
}

// Kills reports whether the service of s can be killed: whether it is a
// [Killer] that says so.
func (s Spec) Kills() bool {
	k, ok := s.Run.(Killer)
	return ok && k.Kills()
}

// Watched is what the Liveness of s comes to, with the service's own Ping and
// the defaults in their places. Without a ping, Silence is how long a run may
// go without a [Beat] and Timeout is zero.
func (s Spec) Watched() Liveness {
	l := s.Liveness
	if p, ok := s.Run.(Pinger); ok && l.Ping == nil && p.Pings() {
		l.Ping = p.Ping
	}
	if l.Ping == nil {
		return Liveness{Silence: max(l.Timeout, l.Silence), MaxRun: l.MaxRun}
	}
	if l.Timeout == 0 {
		l.Timeout = DefaultTimeout
	}
	if l.Interval == 0 {
		l.Interval = DefaultInterval
	}
	l.Failures = max(l.Failures, 1)
	return l
}
