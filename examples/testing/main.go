// Testing is about the tests of a tree of one's own. The package prices is a
// service as one would write it: a feed, a cache, and two writers that fail
// together. Its test asks, in virtual time, what happens when things go wrong:
// minutes of waiting pass at once.
//
//	go test -v ./examples/testing/prices    # the tests: prices/tree_test.go
//	go run ./examples/testing               # the same tree, for 5 s
//
// It needs nothing but Go.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/coppice-go/coppice/examples/testing/prices"
	"github.com/coppice-go/coppice/supervisor"
)

func main() {
	length := flag.Duration("for", 5*time.Second, "how long to run")
	flag.Parse()
	ctx, restore := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer restore()
	ctx, cancel := context.WithTimeout(ctx, *length)
	defer cancel()
	err := run(ctx, os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(supervisor.ExitStatus(err))
}

// run runs the tree until ctx ends, with an exchange that drops the line now and
// then, and prints what happens in the tree.
func run(ctx context.Context, out io.Writer) error {
	quiet := supervisor.Options{Logger: slog.New(slog.DiscardHandler)}
	keep := func(prices.Price) error { return nil }
	sup, err := quiet.Start(ctx, prices.Tree(prices.Config{Dial: dial, Journal: keep, Index: keep}))
	if err != nil {
		return err
	}
	for e := range sup.Events(context.Background(), 0) { // until the tree has ended
		fmt.Fprintln(out, e)
	}
	return sup.Wait()
}

// dial is a line to an exchange that does not exist: a price each tenth of a
// second, until the line breaks.
func dial(context.Context) (prices.Line, error) { return &line{left: 15}, nil }

type line struct{ left int }

func (l *line) Next(ctx context.Context) (prices.Price, error) {
	if l.left--; l.left < 0 {
		return prices.Price{}, errors.New("the exchange has hung up")
	}
	select {
	case <-time.After(100 * time.Millisecond):
		return prices.Price{Symbol: "OAK", Cents: 900 + rand.IntN(200)}, nil
	case <-ctx.Done():
		return prices.Price{}, ctx.Err()
	}
}
