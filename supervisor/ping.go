package supervisor

import (
	"strconv"
	"sync"

	"github.com/coppice-go/coppice/child"
)

// pinging is the state of the pings of one run. Times are counted in looks of
// the sweep.
type pinging struct {
	vital    *vital
	liveness child.Liveness // its defaults applied
	interval int32
	timeout  int32

	mu      sync.Mutex // protects what follows
	due     int32      // until the next ping
	under   int32      // since the ping that is under way was asked, from 1; 0 if none is
	blocked int32      // since a ping was due and that of an earlier run was still under way
	late    bool       // the time of the ping under way is over, and that was counted
	shown   Vitals     // all but LastSign
}

func newPinging(v *vital, l child.Liveness) *pinging {
	return &pinging{
		vital: v, liveness: l, interval: looksIn(l.Interval, v.pause), timeout: looksIn(l.Timeout, v.pause),
	}
}

// spread puts the first ping somewhere into the first interval, so that not all
// children are asked in the same moment.
func (p *pinging) spread(n uint32) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.due = p.interval - int32(n%uint32(p.interval))
}

// look asks if it is time, and sees whether the answer takes too long. It
// reports whether the run may be alive. The watch's lock is held.
func (p *pinging) look() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.due--
	switch {
	case p.under > 0:
		if p.under++; p.under > p.timeout {
			p.under, p.late = 1, true // and once more for each further timeout
			p.fail(noAnswer(p.liveness.Timeout))
		}
	case p.due > 0:
	case p.vital.run.ask(p.liveness.Ping, p.liveness.Timeout, p.answered):
		p.under, p.blocked, p.due = 1, 0, p.interval
	default:
		if p.blocked++; p.blocked > p.timeout {
			p.blocked = 1
			p.fail("the ping of an earlier run has not returned")
		}
	}
	return p.alive()
}

func (p *pinging) alive() bool { return p.shown.Failures < p.liveness.Failures }

// fail counts a ping that has failed.
func (p *pinging) fail(why string) {
	p.shown.Failures++
	p.shown.Failure = why
}

// answered takes the answer to the ping that was under way, in the goroutine of
// that ping.
func (p *pinging) answered(a outcome) {
	p.mu.Lock()
	late := p.late
	p.under, p.late = 0, false
	switch {
	case late: // it was counted
	case a.why != "":
		p.fail(a.why)
	default:
		p.shown = Vitals{Ping: a.took}
		p.vital.last.Store(int64(p.vital.run.node.tree.now()))
	}
	alive := p.alive()
	p.mu.Unlock()
	if !alive {
		p.vital.run.fail(p.verdict())
	}
}

// verdict is why the run is not alive.
func (p *pinging) verdict() *cause {
	p.mu.Lock()
	defer p.mu.Unlock()
	why := p.shown.Failure
	if p.liveness.Failures > 1 {
		why += " (" + strconv.Itoa(p.shown.Failures) + " in a row)"
	}
	return &cause{child.ByPing, why}
}

// show fills in what is known of the pings.
func (p *pinging) show(v *Vitals) {
	p.mu.Lock()
	defer p.mu.Unlock()
	last := v.LastSign
	*v = p.shown
	v.LastSign = last
}
