//go:build unix

package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/child/isolated"
)

// beatFor is a worker that is well for a while.
func beatFor(ctx context.Context, long time.Duration) {
	for end := time.Now().Add(long); time.Now().Before(end) && ctx.Err() == nil; time.Sleep(50 * time.Millisecond) {
		child.Beat(ctx)
	}
}

// wellAgain is what the second run of a worker is.
func wellAgain(ctx context.Context) error {
	for ctx.Err() == nil {
		beatFor(ctx, time.Second)
	}
	return nil
}

// silent stops beating. It would end if it were told to.
func silent(p *printer, after time.Duration) func(context.Context) error {
	return func(ctx context.Context) error {
		if child.Incarnation(ctx) > 1 {
			return wellAgain(ctx)
		}
		beatFor(ctx, after)
		p.hangs(child.Path(ctx))
		<-ctx.Done()
		return nil
	}
}

// A ledger has two locks, which its two goroutines take in different order.
type ledger struct {
	printer       *printer
	after         time.Duration
	debit, credit sync.Mutex
}

func (l *ledger) Serve(ctx context.Context) error {
	if child.Incarnation(ctx) > 1 {
		return wellAgain(ctx)
	}
	beatFor(ctx, l.after)
	l.credit.Lock()
	other := make(chan struct{})
	go func() {
		l.debit.Lock()
		close(other)
		l.credit.Lock()
	}()
	<-other
	l.printer.hangs(child.Path(ctx))
	l.debit.Lock()
	return nil
}

// spins computes something that has no end, until the program itself ends.
func spins(p *printer, after time.Duration, released *atomic.Bool) func(context.Context) error {
	return func(ctx context.Context) error {
		if child.Incarnation(ctx) > 1 {
			return wellAgain(ctx)
		}
		beatFor(ctx, after)
		p.hangs(child.Path(ctx))
		for n := uint64(1); !released.Load(); n = n*6364136223846793005 + 1 {
		}
		return nil
	}
}

// counting runs in a copy of this program. It is asked for what it has counted,
// which it answers under its lock.
var counting = isolated.Register("counting", func(ctx context.Context, after time.Duration) (int, error) {
	var lock sync.Mutex
	count := 0
	isolated.Answer(ctx, func(context.Context) error {
		lock.Lock()
		defer lock.Unlock()
		return nil
	})
	select {
	case <-time.After(after):
	case <-ctx.Done():
		return count, nil
	}
	fmt.Println("hangs")
	lock.Lock()
	for {
		count++
	}
})

// webRole is the argument that makes this program the web server.
const webRole = "web-server"

// playWeb is that server, if this program is to be one. After a while it
// accepts and never answers.
func playWeb() {
	if len(os.Args) < 2 || os.Args[1] != webRole {
		return
	}
	listener, err := net.FileListener(os.NewFile(3, "listener"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	var hung atomic.Bool
	time.AfterFunc(6*time.Second, func() {
		hung.Store(true)
		fmt.Println("hangs")
	})
	fmt.Fprintln(os.Stderr, http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if hung.Load() {
			select {}
		}
		fmt.Fprintln(w, "well")
	})))
	os.Exit(1)
}
