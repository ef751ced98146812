// Package prices is a service of an imagined exchange, written as a tree to be
// tested: a feed reads prices from a line, a cache has the last one of each
// symbol, and two writers keep them all. What it needs from outside comes in a
// Config, so that a test can let it fail.
package prices

import (
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/strategies"
	"github.com/coppice-go/coppice/supervisor"
)

// A Price is what one share costs.
type Price struct {
	// Symbol is the share.
	Symbol string
	// Cents is the price.
	Cents int
}

// Config is what the tree needs from outside. All fields are required; the
// functions are called from one goroutine each.
type Config struct {
	// Dial makes a line to the exchange.
	Dial Dial
	// Journal keeps a price, in the order in which they came.
	Journal func(Price) error
	// Index keeps a price where it is found by its symbol.
	Index func(Price) error
}

// Silence is how long the line may be silent before it is taken for dead.
const Silence = time.Minute

// Tree is the service as data.
func Tree(c Config) supervisor.Spec {
	cache := newCache()
	journal, index := newWriter(c.Journal), newWriter(c.Index)
	return supervisor.Spec{
		Name: "prices",
		Children: []child.Specer{
			child.Spec{Name: "cache", Run: cache, Ready: child.Readiness{Call: true}},
			// The two have to have written the same: if one fails, both start anew.
			supervisor.Spec{
				Name:     "writers",
				Strategy: strategies.OneForAll,
				Children: []child.Specer{
					child.Spec{Name: "journal", Run: journal},
					child.Spec{Name: "index", Run: index},
				},
			},
			// The feed is the last to start and the first to stop: who gets its
			// prices is there for as long as it runs.
			child.Spec{
				Name: "feed",
				Run:  &feed{dial: c.Dial, to: []chan<- Price{cache.in, journal.in, index.in}},
				// It beats with each price. A goroutine cannot be killed: if one
				// hangs for good there is no use in waiting for it.
				Liveness: child.Liveness{Timeout: Silence},
				Stuck:    child.Escalate,
			},
		},
	}
}
