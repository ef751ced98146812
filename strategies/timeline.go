package strategies

import (
	"fmt"
	"math"
	"strings"
	"text/tabwriter"
	"time"
)

// An Attempt is one run of a child that fails, and the attempt to start it
// again that follows. All times are offsets from the start of the first run.
type Attempt struct {
	// Run is the number of the run, from 1.
	Run int

	// Started is when the run started, and Lived how long it lasted.
	Started, Lived time.Duration

	// Wait is the delay after the exit, and Due when it is over and the attempt
	// is made: Started + Lived + Wait.
	Wait, Due time.Duration

	// InWindow is how many restarts the window holds once the attempt was made.
	// A refused one is not among them, nor is any under [Unlimited].
	InWindow int

	// Allowed says that the next run starts at Due. Otherwise the supervisor
	// gives up at that moment, and there is no further attempt.
	Allowed bool
}

// Attempts is what becomes of one child, in order of time.
type Attempts []Attempt

// Timeline returns what becomes of a child whose n-th run, counted from 1,
// fails after lives(n), if it is held back by b and limited by in: one
// [Attempt] for each run, until an attempt is refused or there are limit of
// them.
//
// It is the whole of both layers, and no supervisor is needed to see what a
// setting does. The defaults of in and b apply, jitter is left out (each wait
// is the shortest it can be), and a negative life is none. Under an intensity
// that the children share, it is the timeline of a child whose siblings do not
// fail.
func Timeline(in Intensity, b Backoff, lives func(n int) time.Duration, limit int) Attempts {
	in, b = in.WithDefaults(), b.WithDefaults()
	var attempts Attempts
	var window Window
	var started, delay time.Duration
	for n := 1; n <= limit; n++ {
		a := Attempt{Run: n, Started: started, Lived: max(lives(n), 0)}
		a.Wait, delay = b.After(delay, a.Lived, 0)
		a.Due = later(later(a.Started, a.Lived), a.Wait)
		a.Allowed = window.Allow(a.Due, in)
		a.InWindow = window.Count(a.Due, in)
		attempts = append(attempts, a)
		if !a.Allowed {
			break
		}
		started = a.Due
	}
	return attempts
}

// later adds two times of which neither is negative. The end of time is not
// passed.
func later(at, by time.Duration) time.Duration {
	if by > math.MaxInt64-at {
		return math.MaxInt64
	}
	return at + by
}

// String draws the attempts as a table, one line for each.
func (a Attempts) String() string {
	var text strings.Builder
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "run\tstarted\tlived\twaits\tdue\tin window\t")
	for _, at := range a {
		verdict := ""
		if !at.Allowed {
			verdict = "  gives up"
		}
		fmt.Fprintf(table, "%d\t%v\t%v\t%v\t%v\t%d\t%s\n",
			at.Run, at.Started, at.Lived, at.Wait, at.Due, at.InWindow, verdict)
	}
	_ = table.Flush() // a strings.Builder takes whatever is written
	return text.String()
}
