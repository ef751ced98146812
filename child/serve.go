package child

import (
	"context"

	"github.com/coppice-go/coppice/child/internal/apart"
)

// Serve runs one incarnation of s in the calling goroutine and fills exit with
// how it ended. It is for those who write a supervisor; a run's context must
// answer with a [Runtime] for the functions of this package to reach it.
//
// A panic is caught and becomes the exit, unless crash is set: then it goes on
// with its own stack, and the program ends. After a runtime.Goexit Serve does
// not return: exit is filled and the deferred functions of the caller run.
//
// It is kept small on the stack: a child that waits shall fit in the two
// kilobytes that a goroutine begins with.
func Serve(ctx context.Context, s Service, exit *Exit, crash bool) {
	returned := false
	defer func() {
		if !returned {
			caught(recover(), exit, crash)
		}
	}()
	err := made(ctx, s).Serve(ctx)
	returned = true
	if err != nil {
		classify(err, exit)
	}
}

// made is the service for one run.
//
//go:noinline
func made(ctx context.Context, s Service) Service {
	if m, ok := s.(Maker); ok {
		return makeOf(ctx, m)
	}
	return s
}

// makeOf has m make the service. The stack of a child that has been restarted
// has grown at the end of its last run.
//
//go:noinline
func makeOf(ctx context.Context, m Maker) (s Service) {
	if Incarnation(ctx) > 1 {
		return m.Make()
	}
	apart.Call(func() { s = m.Make() })
	return s
}

// caught fills exit after a run that did not return. The value nil is none of
// a panic (panic(nil) has one of its own), so the goroutine is ending.
//
//go:noinline
func caught(v any, exit *Exit, crash bool) {
	switch {
	case v == nil:
		exit.Kind = Goexited
	case crash:
		panic(v)
	default:
		p := newPanic(v)
		exit.Kind, exit.Err = Panicked, p
		defer func() { exit.text = p.text }() // also when a method of v ends the goroutine
		p.describe()
	}
}
