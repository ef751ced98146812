//go:build unix

// Hung runs a tree of workers that hang, each in another way, a second after
// the other: one that stops beating, one that deadlocks, one that spins, a
// process under SIGSTOP, a web server that accepts and never answers, and a
// function in a copy of the program that loops with its lock held. Each is
// found within the bound that its settings give, killed and started again, and
// the lines of the log say why.
//
//	go run ./examples/hung           # ends by itself when all have come back
//	go run ./examples/hung -for 1m   # has more patience on a slow machine
//
// It needs nothing but Go and a POSIX system, and fails if one is not found, or
// not in time.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/coppice-go/coppice/child/isolated"
	"github.com/coppice-go/coppice/supervisor"
)

func main() {
	isolated.Main() // a copy of this program runs the isolated function here
	playWeb()       // and another is the web server
	length := flag.Duration("for", 30*time.Second, "how long to wait for all of them at most")
	flag.Parse()
	ctx, restore := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer restore()
	ctx, cancel := context.WithTimeout(ctx, *length)
	defer cancel()
	if err := run(ctx, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "hung:", err)
		os.Exit(1)
	}
}

// run runs the tree until every worker has hung and come back.
func run(ctx context.Context, out io.Writer) error {
	p := newPrinter(out)
	all, err := workers(p)
	if err != nil {
		return err
	}
	defer all.close()
	sup, err := supervisor.Options{Logger: p.logger()}.Start(context.Background(), all.tree())
	if err != nil {
		return err
	}
	for e := range sup.Events(ctx, 0) {
		if p.event(e); p.back == len(all.list) {
			break
		}
	}
	p.line("stopping")
	if err := sup.Stop(context.Background()); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return errors.New("not all of them were found and started again: " + context.Cause(ctx).Error())
	}
	return p.table(all.list)
}
