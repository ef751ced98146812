package supervisortest

import "github.com/coppice-go/coppice/supervisor"

const (
	// most is how many events one call reads. A tree that restarts without a
	// delay tells more and more of them, while the virtual clock stands still.
	most = 10_000
	// sequel is how many events are shown after the first that should not be.
	sequel = 10
)

// comparison is what one call has seen so far.
type comparison struct {
	want    []Matcher
	only    Matcher // hides the others
	exactly bool
	read    int // how many events have come, hidden ones included
	got     []supervisor.Event
	met     []int // where in got the wanted events are, for those that came
	why     error // why it failed, if it has
	failed  int   // how many events had come then
}

// complete reports whether all that is wanted has come.
func (c *comparison) complete() bool { return len(c.met) == len(c.want) }

// decided reports whether there is nothing more to wait for: from here on it is
// only heard what else comes.
func (c *comparison) decided() bool { return c.complete() || c.why != nil }

// over reports whether no further event is of interest.
func (c *comparison) over() bool {
	switch {
	case c.read >= most:
		return true
	case c.why != nil:
		return !c.exactly || len(c.got)-c.failed >= sequel
	}
	return c.complete() && !c.exactly
}

// take looks at the next event.
func (c *comparison) take(e supervisor.Event) {
	c.read++
	if e.Kind == supervisor.Missed || c.only.Match(e) {
		c.got = append(c.got, e)
		c.judge(e)
	}
	if c.read >= most && !c.decided() {
		c.fail(ErrTooMany)
	}
}

// judge says what the next event means that is not hidden.
func (c *comparison) judge(e supervisor.Event) {
	switch {
	case c.why != nil:
	case e.Kind == supervisor.Missed:
		c.fail(ErrMissed)
	case !c.complete() && c.want[len(c.met)].Match(e):
		c.met = append(c.met, len(c.got)-1)
	case c.exactly:
		c.fail(ErrUnexpected)
	}
}

func (c *comparison) fail(why error) { c.why, c.failed = why, len(c.got) }
