// Isolated runs Go functions in processes of their own, copies of this program,
// and lets them do what no goroutine could do without taking the program along:
// leak memory, call os.Exit, spin with a lock held. Each is found out, ended and
// started anew, and one does its work all the while.
//
//	go run ./examples/isolated           # ends by itself after 10 s
//	go run ./examples/isolated -for 0    # runs until ^C
//
// It needs Linux for the limit of memory, and Go.
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
	"time"

	"github.com/coppice-go/coppice/child/isolated"
	"github.com/coppice-go/coppice/supervisor"
)

func main() {
	isolated.Main() // in a copy this runs the function, and does not return
	length := flag.Duration("for", 10*time.Second, "how long to run; 0 is until ^C")
	flag.Parse()
	err := run(*length, os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(supervisor.ExitStatus(err))
}

func run(length time.Duration, out io.Writer) error {
	ctx, restore := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer restore()
	if length > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, length)
		defer cancel()
	}
	p := &printer{out: out, began: time.Now()}
	p.line("%-16s this program, process %d", "main", os.Getpid())

	// The lines come from the events; a program of yours would keep its logger.
	quiet := supervisor.Options{Logger: slog.New(slog.DiscardHandler)}
	sup, err := quiet.Start(context.Background(), tree(p))
	if err != nil {
		return err
	}
	told := make(chan struct{})
	go func() {
		defer close(told)
		for e := range sup.Events(context.Background(), 0) {
			p.event(e)
		}
	}()

	select {
	case <-ctx.Done():
	case <-sup.Done():
	}
	restore() // a second ^C ends this program at once
	p.line("%-16s lives, and stops the copies", "main")
	if err := sup.Stop(context.Background()); err != nil {
		return err
	}
	<-told
	p.line("%-16s all stopped, nothing left behind", "main")
	return sup.Wait()
}
