package child

import (
	"context"
	"time"
)

const (
	// DefaultPatience is how long a start may take whose Readiness names no
	// Patience.
	DefaultPatience = 30 * time.Second
	// DefaultProbing is the time between two questions of a [Readiness] with a
	// Probe.
	DefaultProbing = 250 * time.Millisecond
)

// Readiness says when a start is complete: when all that it names has come
// true. The zero value names nothing to wait for. Until then the child is
// starting, no sibling after it is started, and its [Liveness] is not asked
// for; when the patience is over, it has failed to start.
type Readiness struct {
	// Call waits until the service calls Ready with its context. Optional.
	Call bool
	// After waits until the run has lived so long. Optional; zero does not.
	After time.Duration
	// Probe waits until it returns nil; it is asked at once (but not before
	// After) and then every Interval, under the same conditions as the Ping of
	// a Liveness. Its context ends with Timeout and with the run, and so with
	// the patience. Optional.
	Probe func(ctx context.Context) error
	// Timeout is how long one answer of Probe may take. Optional; zero is
	// DefaultTimeout.
	Timeout time.Duration
	// Interval is the time from one answer of Probe to its next question.
	// Optional; zero is DefaultProbing.
	Interval time.Duration
	// Patience is how long one attempt may take. Optional; zero is
	// DefaultPatience.
	Patience time.Duration
}

// IsZero reports whether r names nothing.
func (r Readiness) IsZero() bool {
	return !r.Call && r.After == 0 && r.Probe == nil && r.Timeout == 0 && r.Interval == 0 && r.Patience == 0
}

// WithDefaults is r with the defaults of what goes with Probe in their places.
func (r Readiness) WithDefaults() Readiness {
	if r.Timeout == 0 {
		r.Timeout = DefaultTimeout
	}
	if r.Interval == 0 {
		r.Interval = DefaultProbing
	}
	return r
}

// Data is what of r can be shown, a function by its name.
func (r Readiness) Data() Data {
	var d Data
	d.Add("call", true, r.Call)
	d.Add("after", r.After.String(), r.After != 0)
	d.Add("probe", NameOf(r.Probe), r.Probe != nil)
	d.Add("timeout", r.Timeout.String(), r.Timeout != 0)
	d.Add("interval", r.Interval.String(), r.Interval != 0)
	d.Add("patience", r.Patience.String(), r.Patience != 0)
	return d
}

// String shows the data of r.
func (r Readiness) String() string { return r.Data().String() }

// GoString shows the data of r.
func (r Readiness) GoString() string { return "child.Readiness" + r.Data().String() }

// MarshalJSON shows the data of r as an object.
func (r Readiness) MarshalJSON() ([]byte, error) { return r.Data().MarshalJSON() }
