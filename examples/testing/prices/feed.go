package prices

import (
	"context"

	"github.com/coppice-go/coppice/child"
)

// Dial makes a line, or says why there is none.
type Dial func(ctx context.Context) (Line, error)

// A Line is a connection to the exchange.
type Line interface {
	// Next waits for a price, until ctx ends. An error is the end of the line.
	Next(ctx context.Context) (Price, error)
}

// feed reads prices from a line and hands them on.
type feed struct {
	dial Dial
	to   []chan<- Price
}

// Serve dials anew at each start: a line that broke is left to the supervisor,
// which knows how long to wait.
func (f *feed) Serve(ctx context.Context) error {
	line, err := f.dial(ctx)
	if err != nil {
		return err
	}
	for {
		price, err := line.Next(ctx)
		if err != nil {
			return err
		}
		child.Beat(ctx)
		for _, to := range f.to {
			select {
			case to <- price:
			case <-ctx.Done():
				return nil
			}
		}
	}
}
