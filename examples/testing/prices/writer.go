package prices

import (
	"context"
	"fmt"
)

// writer gives prices to a function that keeps them.
type writer struct {
	in   chan Price
	keep func(Price) error
}

func newWriter(keep func(Price) error) *writer { return &writer{in: make(chan Price), keep: keep} }

// Serve writes one price after the other. One that cannot be written is the end
// of this run, and the price is lost.
func (w *writer) Serve(ctx context.Context) error {
	for {
		select {
		case p := <-w.in:
			if err := w.keep(p); err != nil {
				return fmt.Errorf("%s at %d is not kept: %w", p.Symbol, p.Cents, err)
			}
		case <-ctx.Done():
			return nil
		}
	}
}
