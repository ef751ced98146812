package prices_test

import (
	"context"
	"errors"
	"io"
	"sync/atomic"

	"github.com/coppice-go/coppice/examples/testing/prices"
)

var (
	errBusy = errors.New("the exchange is busy")
	errDisk = errors.New("the disk is full")
)

// exchange plays the world around the tree: the line, and where prices are kept.
// What is true of it can be changed at any time.
type exchange struct {
	prices    chan prices.Price
	busy      atomic.Int32 // how many calls of dial are refused from now on
	full      atomic.Int32 // how many prices the journal refuses from now on
	journaled atomic.Int32
	indexed   atomic.Int32
}

func newExchange() *exchange { return &exchange{prices: make(chan prices.Price)} }

func (x *exchange) config() prices.Config {
	return prices.Config{Dial: x.dial, Journal: x.keepJournal, Index: x.keepIndex}
}

func (x *exchange) dial(context.Context) (prices.Line, error) {
	if x.busy.Add(-1) >= 0 {
		return nil, errBusy
	}
	return x, nil
}

// Next makes the exchange a line. A price of nothing is the end of it.
func (x *exchange) Next(ctx context.Context) (prices.Price, error) {
	select {
	case p := <-x.prices:
		if p == (prices.Price{}) {
			return p, io.ErrUnexpectedEOF
		}
		return p, nil
	case <-ctx.Done():
		return prices.Price{}, ctx.Err()
	}
}

func (x *exchange) keepJournal(prices.Price) error {
	if x.full.Add(-1) >= 0 {
		return errDisk
	}
	x.journaled.Add(1)
	return nil
}

func (x *exchange) keepIndex(prices.Price) error {
	x.indexed.Add(1)
	return nil
}
