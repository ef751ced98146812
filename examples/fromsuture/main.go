// Fromsuture is one program three times: step 0 has its services under suture,
// in step 1 some of them are under a coppice supervisor that suture runs, and in
// step 2 all are under coppice. The services, in shop.go, are the same ones. To
// see what a step takes, look at the difference from the file of the one before.
//
//	go run ./examples/fromsuture            # all three, a second each
//	go run ./examples/fromsuture -step 1    # one of them
//	diff examples/fromsuture/step0.go examples/fromsuture/step1.go
//
// It needs nothing but Go. What takes the place of what else suture has is in
// docs/FROM_SUTURE.md.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// step runs the shop until ctx ends.
type step struct {
	title string
	run   func(ctx context.Context, out *output) error
}

var steps = []step{
	{"step 0: suture", step0},
	{"step 1: coppice in suture", step1},
	{"step 2: coppice", step2},
}

// length is how long a step runs. The report is taken away at half time.
const length = 1050 * time.Millisecond

func main() {
	only := flag.Int("step", -1, "which step to run; -1 is all")
	flag.Parse()
	ctx, restore := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer restore()
	for i, s := range steps {
		if *only >= 0 && i != *only {
			continue
		}
		if err := run(ctx, os.Stdout, s); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

func run(ctx context.Context, to io.Writer, s step) error {
	ctx, cancel := context.WithTimeout(ctx, length)
	defer cancel()
	out := &output{to: to}
	out.line("--- %s ---", s.title)
	return s.run(ctx, out)
}

// halfTime waits for half of a step.
func halfTime(ctx context.Context) {
	select {
	case <-time.After(length / 2):
	case <-ctx.Done():
	}
}
