package metrics

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/coppice-go/coppice/supervisor"
)

// Collector shows a tree to Prometheus. Make it with [NewCollector]. Its
// methods may be called from any goroutine.
type Collector struct {
	sup   *supervisor.Supervisor
	desc  *descs
	usage *usage

	mu     sync.Mutex // protects places
	places atlas
}

// NewCollector is a collector for a tree, running or not. Register it with a
// registry of your choice; nothing is registered by itself. Several trees may
// share a registry if their roots have different names; a second collector of
// one of the same name is refused by the registry.
//
// A scrape takes one snapshot of the tree and holds up nobody. What processes
// use is sampled beside it, by one goroutine that exists while the tree runs
// and scrapes come.
func NewCollector(sup *supervisor.Supervisor, o Options) *Collector {
	o = o.withDefaults()
	return &Collector{
		sup: sup, desc: newDescs(sup.Ref().Path()), usage: newUsage(sup, o.Every),
		places: atlas{limit: o.Paths, own: map[string]struct{}{}},
	}
}

// Describe sends the descriptions of all metrics.
func (c *Collector) Describe(to chan<- *prometheus.Desc) {
	for _, d := range c.desc.all {
		to <- d
	}
}

// Collect sends the metrics of one snapshot.
func (c *Collector) Collect(to chan<- prometheus.Metric) {
	snap := c.sup.Snapshot()
	used := c.usage.read()
	c.mu.Lock()
	places := c.places.draw(&snap, used)
	c.mu.Unlock()
	e := emitter{desc: c.desc, to: to}
	e.counter(c.desc.eventsDropped, float64(snap.Missed))
	for _, p := range places {
		e.place(p)
	}
}
