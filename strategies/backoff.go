package strategies

import (
	"errors"
	"math"
	"time"
)

// None, as the Min of a [Backoff], means no delay at all: every run is followed
// at once by the next.
const None time.Duration = -1

// maxJitter keeps a wait below twice its delay, and catches who writes 20 for
// 20 %.
const maxJitter = 1

// The defaults of a Backoff. Threshold and Min are Twisted's; its maximum of an
// hour is long for a child that somebody has just repaired, so Max is five
// minutes.
const (
	defaultThreshold = time.Second
	defaultMin       = time.Second //nolint:revive // the least, not minutes
	defaultMax       = 5 * time.Minute
)

// A Backoff says how long to wait before a child is started again, by the rule
// of Twisted's process monitor: a run shorter than Threshold waits the current
// delay, which then doubles up to Max; a run that reached Threshold is followed
// at once by the next, and takes the delay back to Min.
//
// The zero value is a threshold of 1 s and delays of 1, 2, 4 s and so on up to
// 5 min, without jitter. Each zero field has its own default. The current delay
// is not kept here: see [Backoff.After].
type Backoff struct {
	// Threshold is how long a run must last to be no failure to start; one that
	// lasts exactly that long is none. Optional: zero is 1 s.
	Threshold time.Duration

	// Min is the first delay. [None] means that there is never any. Optional:
	// zero is 1 s, or Max if that is given and less.
	Min time.Duration

	// Max is the longest delay; with jitter, a wait may exceed it. Optional:
	// zero is 5 min, or Min if that is more.
	Max time.Duration

	// Jitter is the share of the delay, from 0 to 1, by which a wait may be
	// longer, so that children that died together do not come back together.
	// Optional: zero is no jitter.
	Jitter float64
}

// Twisted returns the numbers of Twisted's process monitor: a threshold of 1 s
// and delays from 1 s up to 1 h.
func Twisted() Backoff {
	return Backoff{Threshold: time.Second, Min: time.Second, Max: time.Hour}
}

// WithDefaults returns b with its zero fields replaced by what they mean. A
// field that is set is kept, and where a default would contradict it, the
// default yields: so Max is never below Min. Applied to its own result it
// changes nothing.
func (b Backoff) WithDefaults() Backoff {
	if b.Threshold == 0 {
		b.Threshold = defaultThreshold
	}
	if b.Min == 0 {
		b.Min = defaultMin
		if b.Max > 0 {
			b.Min = min(defaultMin, b.Max)
		}
	}
	if b.Max == 0 {
		b.Max = max(defaultMax, b.Min)
	}
	return b
}

// Validate returns nil, or one *[FieldError] for each field that cannot be
// meant, joined by [errors.Join]: a negative duration other than [None] for
// Min, a Max below the Min beside it, a jitter that is not within 0 to 1.
func (b Backoff) Validate() error {
	var mistakes []error
	mistake := func(field string, value any, reason string) {
		mistakes = append(mistakes, &FieldError{"Backoff." + field, value, reason})
	}
	if b.Threshold < 0 {
		mistake("Threshold", b.Threshold, "must not be negative")
	}
	if b.Min < 0 && b.Min != None {
		mistake("Min", b.Min, "must not be negative, except for None")
	}
	switch {
	case b.Max < 0:
		mistake("Max", b.Max, "must not be negative")
	case b.Max > 0 && b.Max < b.Min:
		mistake("Max", b.Max, "must not be below Min, which is "+b.Min.String())
	}
	if !(b.Jitter >= 0 && b.Jitter <= maxJitter) { // in these words it holds for NaN too
		mistake("Jitter", b.Jitter, "must be within 0 to 1")
	}
	return errors.Join(mistakes...)
}

// After returns how long to wait after a run that lasted ran, and the delay to
// keep for the run after that.
//
// The delay is what the call before returned as next, and zero for a child that
// has not failed yet. A run shorter than Threshold waits the delay, and next is
// twice that, at most Max. A run that reached Threshold waits 0, and next is
// Min. The number rnd, in [0, 1), places the wait between delay and
// delay*(1+Jitter); it has no influence on next. With a Min of [None] both
// results are always zero.
//
// There is no overflow, whatever the numbers: a wait that would not fit is the
// longest [time.Duration]. A delay outside Min to Max, as from another Backoff,
// is brought there first.
func (b Backoff) After(delay, ran time.Duration, rnd float64) (wait, next time.Duration) {
	b = b.WithDefaults()
	if b.Min < 0 {
		return 0, 0
	}
	if ran >= b.Threshold {
		return 0, b.Min
	}
	delay = min(max(delay, b.Min), b.Max)
	next = b.Max
	if delay <= b.Max/2 { // to ask whether 2*delay fits, not to double and look
		next = 2 * delay
	}
	return b.jittered(delay, rnd), next
}

// jittered lengthens a delay by its share of the jitter. What is not a number,
// or outside its range, adds nothing or the most it may: a wait that is
// somewhat off is better than a supervisor that fails.
func (b Backoff) jittered(delay time.Duration, rnd float64) time.Duration {
	if !(b.Jitter > 0 && rnd > 0) {
		return delay
	}
	extra := float64(delay) * min(b.Jitter, maxJitter) * min(rnd, 1)
	if extra >= float64(math.MaxInt64-delay) {
		return math.MaxInt64
	}
	return delay + time.Duration(extra)
}
