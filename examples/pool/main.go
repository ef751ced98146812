// Pool runs ten thousand sessions, each a child that a template makes: one more
// is refused, a hundred of them crash and come back, half of them end and make
// room, and at last all are stopped at once.
//
//	go run ./examples/pool            # ends by itself after a second or two
//	go run ./examples/pool -n 100000  # so many; ten thousand take about 60 MB
//
// It needs nothing but Go.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/coppice-go/coppice/supervisor"
)

func main() {
	n := flag.Int("n", 10_000, "how many sessions there may be")
	flag.Parse()
	ctx, restore := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer restore()
	if err := run(ctx, os.Stdout, max(*n, 2)); err != nil {
		fmt.Fprintln(os.Stderr, "pool:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, n int) error {
	// A log line for each of ten thousand starts would be too many to read.
	quiet := supervisor.Options{Logger: slog.New(slog.DiscardHandler)}
	sup, err := quiet.Start(ctx, pool(n))
	if err != nil {
		return err
	}
	defer sup.Stop(context.Background())
	d := &door{sup: sup, limit: n, story: newStory(out)}

	for _, step := range []func(context.Context) error{
		d.fill, d.refuse, d.crash, d.leave, d.admit,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	err = sup.Stop(context.Background())
	d.story.tell("all stopped, %d left", d.running())
	return err
}
