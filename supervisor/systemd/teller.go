package systemd

import (
	"strconv"
	"strings"
	"time"

	"github.com/coppice-go/coppice/supervisor"
)

// every is the shortest time between two statuses, and the longest between two
// looks at a tree that is not ready: an empty one comes up without an event.
const every = time.Second

// teller decides what to tell, and when. It has no clock and sends nothing, and
// a copy of it goes back to where it was when something could not be sent.
type teller struct {
	beat time.Duration // between two signs of life; zero if nobody waits for any

	ready, stopping  bool // have been told
	status           string
	statusAt, beatAt time.Time
	waiting          bool // a new status waits until it may be told
}

// look is what to tell of a tree, empty for nothing. The root's stop may take
// budget, if that is not zero.
func (t *teller) look(now time.Time, root *supervisor.Status, budget time.Duration) string {
	if root.State == supervisor.Down || root.State == supervisor.Exited {
		t.waiting = false
		return "" // not yet, or no more: end says so
	}
	var say []string
	if root.State == supervisor.Running && !t.ready {
		t.ready = true
		say = append(say, "READY=1")
	}
	if root.State == supervisor.Stopping && !t.stopping {
		t.stopping = true
		say = append(say, "STOPPING=1")
		if budget > 0 {
			say = append(say, "EXTEND_TIMEOUT_USEC="+strconv.FormatInt(budget.Microseconds(), 10))
		}
	}
	status := statusOf(root)
	t.waiting = status != t.status && now.Sub(t.statusAt) < every
	if status != t.status && !t.waiting {
		t.status, t.statusAt = status, now
		say = append(say, "STATUS="+status)
	}
	if t.beat > 0 && healthy(root) && now.Sub(t.beatAt) >= t.beat {
		t.beatAt = now
		say = append(say, "WATCHDOG=1")
	}
	return strings.Join(say, "\n")
}

// healthy is told of a tree that has answered.
func healthy(root *supervisor.Status) bool {
	return root.State == supervisor.Starting || root.State == supervisor.Running
}

// next is when to look again though nothing happens; zero is never.
func (t *teller) next(now time.Time) (at time.Time) {
	sooner := func(then time.Time) {
		if at.IsZero() || then.Before(at) {
			at = then
		}
	}
	if t.waiting {
		sooner(t.statusAt.Add(every))
	}
	if !t.ready && !t.stopping {
		sooner(now.Add(every))
	}
	if t.beat > 0 && !t.stopping {
		sooner(t.beatAt.Add(t.beat))
	}
	return at
}

// end is what to tell of a tree that has ended.
func (t *teller) end(err error) string {
	say := "STATUS=" + reasonOf(err)
	if !t.stopping {
		say = "STOPPING=1\n" + say
	}
	return say
}
