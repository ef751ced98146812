package metrics

import (
	"math"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/strategies"
	"github.com/coppice-go/coppice/supervisor"
)

// emitter sends metrics.
type emitter struct {
	desc *descs
	to   chan<- prometheus.Metric
}

func (e *emitter) counter(d *prometheus.Desc, v float64, labels ...string) {
	e.to <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v, labels...)
}

func (e *emitter) gauge(d *prometheus.Desc, v float64, labels ...string) {
	e.to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
}

// some sends a count, unless it is zero.
func (e *emitter) some(d *prometheus.Desc, n uint64, path, label string) {
	if n > 0 {
		e.counter(d, float64(n), path, label)
	}
}

// moment sends a time, unless it is zero.
func (e *emitter) moment(d *prometheus.Desc, at time.Time, path string) {
	if !at.IsZero() {
		e.gauge(d, float64(at.UnixMilli())/1000, path)
	}
}

// place sends all of a place.
func (e *emitter) place(p *place) {
	e.counts(p)
	if p.members > 0 {
		e.child(p)
	}
	if p.supervisors > 0 {
		e.supervisor(p)
	}
	if p.used != nil {
		e.process(p.path, p.used)
	}
}

// counts sends what is counted. What never happened is left out where there
// are many things that might.
func (e *emitter) counts(p *place) {
	n, d := &p.counts, e.desc
	e.counter(d.starts, float64(n.Starts), p.path)
	for i := range child.Causes {
		e.some(d.restarts, n.Restarts[i], p.path, child.Cause(i).String())
		e.some(d.exits, n.Exits[i], p.path, child.Cause(i).String())
	}
	e.some(d.failures, n.TemporaryFailures, p.path, "temporary")
	e.some(d.failures, n.PermanentFailures, p.path, "permanent")
	e.some(d.kills, n.Kills, p.path, "KILL")
	e.some(d.kills, n.Overdue, p.path, "none")
	if p.supervisors > 0 || n.GaveUp > 0 {
		e.counter(d.gaveUp, float64(n.GaveUp), p.path)
	}
}

// child sends how the members stand.
func (e *emitter) child(p *place) {
	d := e.desc
	e.gauge(d.up, float64(p.up()), p.path)
	e.gauge(d.ready, float64(p.states[supervisor.Running]), p.path)
	e.gauge(d.stuck, float64(p.states[supervisor.Stuck]), p.path)
	e.tally(d.state, p.path, &p.states)
	e.gauge(d.backoff, p.backoff.Seconds(), p.path)
	e.moment(d.next, p.next, p.path)
	e.moment(d.started, p.started, p.path)
	e.moment(d.lastExit, p.lastExit, p.path)
	if p.ping > 0 {
		e.gauge(d.ping, p.ping.Seconds(), p.path)
	}
}

// tally sends how many there are in each state, without those without any.
func (e *emitter) tally(d *prometheus.Desc, path string, t *tally) {
	for s, n := range t {
		if n > 0 {
			e.gauge(d, float64(n), path, supervisor.State(s).String())
		}
	}
}

// supervisor sends what only supervisors have.
func (e *emitter) supervisor(p *place) {
	d := e.desc
	limit := float64(p.limit)
	if p.limit == strategies.Unlimited {
		limit = math.Inf(1)
	}
	e.gauge(d.window, float64(p.window), p.path)
	e.gauge(d.windowLimit, limit, p.path)
	e.gauge(d.startDuration, p.starting.Seconds(), p.path)
	e.gauge(d.stopDuration, p.stopping.Seconds(), p.path)
	e.tally(d.children, p.path, &p.children)
}

// process sends what processes use.
func (e *emitter) process(path string, u *use) {
	d := e.desc
	e.counter(d.outBytes, float64(u.stdout.Bytes), path, "stdout")
	e.counter(d.outBytes, float64(u.stderr.Bytes), path, "stderr")
	e.counter(d.outLines, float64(u.stdout.Lines+u.stderr.Lines), path)
	e.counter(d.outDropped, float64(u.stdout.Dropped+u.stderr.Dropped), path)
	if !u.sampled {
		return
	}
	e.counter(d.cpu, u.cpu.Seconds(), path)
	e.gauge(d.memory, float64(u.memory), path)
	e.gauge(d.threads, float64(u.threads), path)
	if u.descriptors >= 0 {
		e.gauge(d.fds, float64(u.descriptors), path)
	}
}
