// Quickstart runs a small tree with real programs in it, lets some of its
// children fail in different ways, and tells what the supervisors do about it.
//
//	go run ./examples/quickstart           # ends by itself after 15 s
//	go run ./examples/quickstart -for 0    # runs until ^C
//	go run ./examples/quickstart -for 0 -http localhost:9090
//
// With the last one the tree is seen at http://localhost:9090/, its metrics at
// /metrics, and its health at /healthz and /readyz.
//
// It needs nothing but Go and a POSIX system.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/coppice-go/coppice/supervisor"
)

func main() {
	length := flag.Duration("for", 15*time.Second, "how long to run; 0 is until ^C")
	address := flag.String("http", "", "where to show the tree over HTTP, localhost:9090 for example; empty is nowhere")
	flag.Parse()
	err := run(os.Stdout, *length, *address)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(supervisor.ExitStatus(err))
}

func run(to io.Writer, length time.Duration, address string) error {
	interrupted, restore := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer restore()
	ctx := interrupted
	if length > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(interrupted, length)
		defer cancel()
	}

	// The lines that this program prints come from the events of the tree; a
	// program of yours would leave the logger as it is and have a log line each.
	quiet := supervisor.Options{Logger: slog.New(slog.DiscardHandler)}
	sup, err := quiet.Start(context.Background(), tree())
	if err != nil {
		return err
	}
	out := newPrinter(to)
	told := make(chan struct{})
	go func() {
		defer close(told)
		for e := range sup.Events(context.Background(), 0) {
			out.event(e)
		}
	}()

	if address != "" {
		hide, err := show(sup, address, out)
		if err != nil {
			return errors.Join(err, sup.Stop(context.Background()))
		}
		defer hide()
	}

	select {
	case <-ctx.Done():
	case <-sup.Done():
	}
	out.tree(sup.Snapshot())
	restore() // a second ^C ends this program at once
	out.line("stopping, the last started first")
	if err := sup.Stop(context.Background()); err != nil {
		return err
	}
	<-told
	out.line("all stopped, nothing left behind")
	return sup.Wait()
}
