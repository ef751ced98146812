package prices

import (
	"context"
	"sync"

	"github.com/coppice-go/coppice/child"
)

// cache takes prices for whoever runs it; each run of it has a Latest of its own.
type cache struct{ in chan Price }

func newCache() *cache { return &cache{in: make(chan Price)} }

// Serve publishes a Latest and fills it.
func (c *cache) Serve(ctx context.Context) error {
	latest := &Latest{prices: map[string]Price{}}
	child.Publish(ctx, latest)
	child.Ready(ctx)
	for {
		select {
		case p := <-c.in:
			latest.put(p)
		case <-ctx.Done():
			return nil
		}
	}
}

// Latest has the last price of each symbol. The cache publishes it: get it with
// supervisor.Get. It may be used from any goroutine.
type Latest struct {
	mu     sync.Mutex // protects prices
	prices map[string]Price
}

// Of is the last price of that symbol, and whether there is one.
func (l *Latest) Of(symbol string) (Price, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p, ok := l.prices[symbol]
	return p, ok
}

func (l *Latest) put(p Price) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.prices[p.Symbol] = p
}
