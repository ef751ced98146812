package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/thejerf/suture/v4"
)

// The services of the shop are written for suture and stay as they are.
type (
	setup  struct{ out *output }
	orders struct {
		to   chan int
		next int // goes on where the run before has ended
	}
	billing struct {
		from   chan int
		billed atomic.Int32
		out    *output
	}
	report struct {
		about *billing
		out   *output
	}
)

// shop is one of each.
type shop struct {
	setup   *setup
	orders  *orders
	billing *billing
	report  *report
}

func newShop(out *output) *shop {
	line := make(chan int)
	b := &billing{from: line, out: out}
	return &shop{setup: &setup{out}, orders: &orders{to: line}, billing: b, report: &report{b, out}}
}

// Serve does once what the others need.
func (s *setup) Serve(context.Context) error {
	s.out.line("setup: done")
	return suture.ErrDoNotRestart
}

// Serve takes an order each tenth of a second.
func (o *orders) Serve(ctx context.Context) error {
	for {
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
		o.next++
		select {
		case o.to <- o.next:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Serve sends bills, and has a bug.
func (b *billing) Serve(ctx context.Context) error {
	for {
		select {
		case n := <-b.from:
			if n == 3 {
				panic(fmt.Sprintf("order %d has no address", n))
			}
			b.billed.Add(1)
			b.out.line("billing: order %d", n)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Serve tells how many were billed, for as long as somebody wants to know.
func (r *report) Serve(ctx context.Context) error {
	for {
		select {
		case <-time.After(240 * time.Millisecond):
			r.out.line("report: %d orders were billed", r.about.billed.Load())
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (*setup) String() string   { return "setup" }
func (*orders) String() string  { return "orders" }
func (*billing) String() string { return "billing" }
func (*report) String() string  { return "report" }
