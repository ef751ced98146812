package main

import (
	"context"
	"os"
	"sync"
	"time"

	"github.com/coppice-go/coppice/child/isolated"
)

// The functions are registered at the level of the package, so that the copies,
// which get no further than the hook in main, have them too.
var (
	leak  = isolated.Register("leak", leaks)
	exits = isolated.Register("exits", callsExit)
	spin  = isolated.Register("spin", spins)
	count = isolated.Register("count", countsPrimes)
)

// nothing is the argument of who needs none, and the result of who has none.
type nothing struct{}

// leaks keeps all that it gets, and wants more.
func leaks(ctx context.Context, _ nothing) (nothing, error) {
	var kept [][]byte
	for {
		select {
		case <-ctx.Done():
			return nothing{}, nil
		case <-time.After(50 * time.Millisecond):
		}
		piece := make([]byte, 4<<20)
		for i := range piece {
			piece[i] = 1 // memory counts when it is written to
		}
		kept = append(kept, piece)
		if kept[0][0] == 0 {
			return nothing{}, nil
		}
	}
}

// callsExit is a library that takes itself for the program.
func callsExit(ctx context.Context, _ nothing) (nothing, error) {
	select {
	case <-ctx.Done():
		return nothing{}, nil
	case <-time.After(3 * time.Second):
	}
	os.Exit(3)
	return nothing{}, nil
}

// spins has a bug: after a while it never gives back the lock under which all
// of its work is done. What answers the pings takes that lock.
func spins(ctx context.Context, _ nothing) (nothing, error) {
	var mu sync.Mutex
	isolated.Answer(ctx, func(context.Context) error {
		mu.Lock()
		defer mu.Unlock()
		return nil
	})
	select {
	case <-ctx.Done():
		return nothing{}, nil
	case <-time.After(2 * time.Second):
	}
	mu.Lock()
	for turns := 0; ; turns++ { // it never comes to the unlock
	}
}

// task is what the good one has to do, and primes what it found.
type (
	task   struct{ Below int }
	primes struct{ Below, Number int }
)

// countsPrimes does its work and returns what came of it.
func countsPrimes(ctx context.Context, t task) (primes, error) {
	found := primes{Below: t.Below}
	for n := 2; n < t.Below && ctx.Err() == nil; n++ {
		if isPrime(n) {
			found.Number++
		}
	}
	return found, ctx.Err()
}

func isPrime(n int) bool {
	for d := 2; d*d <= n; d++ {
		if n%d == 0 {
			return false
		}
	}
	return true
}
