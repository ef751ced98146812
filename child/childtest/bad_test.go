package childtest_test

import (
	"context"
	"errors"
	"runtime/pprof"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/child/childtest"
)

// mistake is a service that does not keep the contract, and the one case that
// catches it.
type mistake struct {
	want    string
	says    string // in the violation
	options childtest.Options
	make    func(over <-chan struct{}) func() child.Service
}

// rude is an error whose methods panic.
type rude struct{}

func (rude) Error() string   { return "rude" }
func (rude) Is(error) bool   { panic("no") }
func (rude) Unwrap() []error { return nil }

// hang waits for the end of the suite.
func hang(over <-chan struct{}) error {
	<-over
	return nil
}

// answers is a service that answers a stop with err.
func answers(err error) func(<-chan struct{}) func() child.Service {
	return maker(func(ctx context.Context, _ <-chan struct{}) error {
		<-ctx.Done()
		return err
	})
}

// twice is a service of which each run is a function of its own, the last one
// for all that follow.
func twice(bodies ...serve) func(<-chan struct{}) func() child.Service {
	return func(over <-chan struct{}) func() child.Service {
		return func() child.Service {
			n := -1
			return child.Func(func(ctx context.Context) error {
				n = min(n+1, len(bodies)-1)
				return bodies[n](ctx, over)
			})
		}
	}
}

// crowded are services of which one at a time can wait; any other does what it
// is told.
func crowded(other serve) func(<-chan struct{}) func() child.Service {
	return func(over <-chan struct{}) func() child.Service {
		var there atomic.Int32
		return func() child.Service {
			return child.Func(func(ctx context.Context) error {
				defer there.Add(-1)
				if there.Add(1) > 1 {
					return other(ctx, over)
				}
				return wait(ctx, over)
			})
		}
	}
}

// tied are services that end with each other.
func tied(<-chan struct{}) func() child.Service {
	var mu sync.Mutex
	common, end := context.WithCancel(context.Background())
	return func() child.Service {
		return child.Func(func(ctx context.Context) error {
			mu.Lock()
			if common.Err() != nil {
				common, end = context.WithCancel(context.Background())
			}
			mine, endMine := common, end
			mu.Unlock()
			defer endMine()
			select {
			case <-ctx.Done():
			case <-mine.Done():
			}
			return nil
		})
	}
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

var bad = map[string]mistake{
	"it panics": {want: "panic", says: "panic: ouch", make: maker(func(context.Context, <-chan struct{}) error { panic("ouch") })},
	"it panics when it is stopped": {want: "panic", says: "panic: close of closed channel", make: maker(func(ctx context.Context, _ <-chan struct{}) error {
		<-ctx.Done()
		stopped := make(chan struct{})
		close(stopped)
		close(stopped)
		return nil
	})},
	"it ends its goroutine":  {want: "panic", says: "runtime.Goexit", make: maker(leave)},
	"a job panics":           {want: "panic", options: childtest.Options{Once: true}, make: maker(func(context.Context, <-chan struct{}) error { panic("ouch") })},
	"it panics before ready": {want: "panic", options: childtest.Options{Ready: true}, make: maker(func(context.Context, <-chan struct{}) error { panic("ouch") })},

	"it returns":                 {want: "stays", says: "normal", make: maker(func(context.Context, <-chan struct{}) error { return nil })},
	"it fails":                   {want: "stays", says: "disk is full", make: maker(func(context.Context, <-chan struct{}) error { return errOwn })},
	"it does not come to ready":  {want: "stays", options: childtest.Options{Ready: true}, make: maker(func(context.Context, <-chan struct{}) error { return errOwn })},
	"it returns for ever":        {want: "stays", make: maker(func(context.Context, <-chan struct{}) error { return errLast })},
	"it returns after some time": {want: "stays", make: maker(brief)},

	"it is not ready in time":  {want: "ready", says: "within 5s", options: childtest.Options{Ready: true}, make: maker(wait)},
	"it is ready at its end":   {want: "ready", options: childtest.Options{Ready: true}, make: maker(lateReady)},
	"it announces nothing":     {want: "ready", make: announces(wait)},
	"it announces too late":    {want: "ready", make: announces(func(ctx context.Context, _ <-chan struct{}) error { return readyAfter(6 * time.Second)(ctx) })},
	"a job is never ready":     {want: "ready", says: "without", options: childtest.Options{Once: true, Ready: true}, make: maker(func(context.Context, <-chan struct{}) error { return nil })},
	"it was announced by none": {want: "ready", make: func(<-chan struct{}) func() child.Service { return lazy }},

	"it ignores its context":  {want: "stop", says: "childtest_test.hang (bad_test.go:", make: maker(func(_ context.Context, over <-chan struct{}) error { return hang(over) })},
	"it is too slow":          {want: "stop", says: "but when it was then killed", make: maker(slow)},
	"a job ignores its stop":  {want: "stop", options: childtest.Options{Once: true}, make: maker(func(_ context.Context, over <-chan struct{}) error { return hang(over) })},
	"it is slow and fails":    {want: "stop", make: maker(func(ctx context.Context, over <-chan struct{}) error { _ = slow(ctx, over); return errOwn })},
	"it waits, ready or not":  {want: "stop", make: maker(func(ctx context.Context, over <-chan struct{}) error { child.Ready(ctx); return hang(over) })},
	"it waits for its worker": {want: "stop", says: "childtest_test.hang", make: maker(worker)},

	"it answers with an error of its own":   {want: "answer", says: "disk is full", make: answers(errOwn)},
	"it answers with another's context":     {want: "answer", make: answers(context.DeadlineExceeded)},
	"it answers with a code":                {want: "answer", make: answers(&child.StatusError{Code: 143})},
	"its answer cannot be asked":            {want: "answer", make: answers(rude{})},
	"it hides what it was told":             {want: "answer", make: answers(errors.New("accept: context canceled"))},
	"it says that it cannot start":          {want: "answer", make: answers(&child.StartError{Err: context.Canceled})},
	"a job answers with an error of itself": {want: "answer", options: childtest.Options{Once: true}, make: answers(errOwn)},

	"it leaves a goroutine":          {want: "goroutines", says: "childtest_test.hang", make: maker(leaky)},
	"it leaves one with more labels": {want: "goroutines", says: "childtest_test.hang", make: maker(labelled)},
	"it leaves one for a minute":     {want: "goroutines", make: maker(lingering)},
	"a job leaves a goroutine": {want: "goroutines", options: childtest.Options{Once: true}, make: maker(func(_ context.Context, over <-chan struct{}) error {
		go hang(over)
		return nil
	})},

	"it hangs when it is killed": {want: "killed", says: "hang", make: maker(func(ctx context.Context, over <-chan struct{}) error {
		<-ctx.Done()
		if closed(child.Killed(ctx)) {
			return hang(over)
		}
		return nil
	})},
	"it panics when it is killed": {want: "killed", says: "no grace", make: maker(func(ctx context.Context, _ <-chan struct{}) error {
		<-ctx.Done()
		if closed(child.Killed(ctx)) {
			panic("no grace")
		}
		return nil
	})},

	"it does not look before it starts": {want: "ended", make: maker(func(ctx context.Context, over <-chan struct{}) error {
		if ctx.Err() != nil {
			return hang(over)
		}
		return wait(ctx, over)
	})},
	"it takes an early end for an error": {want: "ended", says: "disk is full", make: maker(func(ctx context.Context, over <-chan struct{}) error {
		if ctx.Err() != nil {
			return errOwn
		}
		return wait(ctx, over)
	})},

	"it panics when it is served again": {want: "restart", says: "close of closed channel", make: func(over <-chan struct{}) func() child.Service { return onceOnly(over) }},
	"it has nothing left to do":         {want: "restart", make: twice(wait, func(context.Context, <-chan struct{}) error { return nil })},
	"it hangs when it is served again":  {want: "restart", make: twice(wait, func(_ context.Context, over <-chan struct{}) error { return hang(over) })},
	"it leaks when it is served again":  {want: "restart", says: "goroutines", make: twice(wait, leaky)},
	"it is ready only once":             {want: "restart", options: childtest.Options{Ready: true}, make: twice(readyAtOnce, wait)},

	"one of two fails":       {want: "together", says: "disk is full", make: crowded(func(context.Context, <-chan struct{}) error { return errOwn })},
	"one of two hangs":       {want: "together", make: crowded(func(_ context.Context, over <-chan struct{}) error { return hang(over) })},
	"one of two panics":      {want: "together", make: crowded(func(context.Context, <-chan struct{}) error { panic("ouch") })},
	"they end with another":  {want: "together", says: "before it was told", make: tied},
	"there is only one":      {want: "together", says: "panic", make: single},
	"one of two is not left": {want: "together", make: crowded(leaky)},
}

func brief(ctx context.Context, _ <-chan struct{}) error {
	select {
	case <-ctx.Done():
	case <-time.After(50 * time.Millisecond):
	}
	return nil
}

func lateReady(ctx context.Context, _ <-chan struct{}) error {
	<-ctx.Done()
	child.Ready(ctx)
	return nil
}

func readyAtOnce(ctx context.Context, over <-chan struct{}) error {
	child.Ready(ctx)
	return wait(ctx, over)
}

// announces makes announcers of a body.
func announces(f serve) func(<-chan struct{}) func() child.Service {
	return func(over <-chan struct{}) func() child.Service {
		return func() child.Service {
			return announcer{func(ctx context.Context) error { return f(ctx, over) }}
		}
	}
}

// lazy is a fresh service around an announcer that does not announce.
func lazy() child.Service {
	return child.Fresh(func() child.Service {
		return announcer{func(ctx context.Context) error { return wait(ctx, nil) }}
	})
}

// slow returns long after it was told, or when it is killed.
func slow(ctx context.Context, _ <-chan struct{}) error {
	<-ctx.Done()
	select {
	case <-child.Killed(ctx):
	case <-time.After(time.Hour):
	}
	return nil
}

// worker hangs because of a goroutine that it waits for.
func worker(_ context.Context, over <-chan struct{}) error {
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = hang(over)
	}()
	<-done
	return nil
}

// leaky leaves a goroutine.
func leaky(ctx context.Context, over <-chan struct{}) error {
	go hang(over)
	<-ctx.Done()
	return nil
}

// labelled leaves a goroutine that has a label of its own too.
func labelled(ctx context.Context, over <-chan struct{}) error {
	pprof.Do(ctx, pprof.Labels("work", "much"), func(context.Context) {
		go hang(over)
	})
	<-ctx.Done()
	return nil
}

func lingering(ctx context.Context, over <-chan struct{}) error {
	go func() {
		select {
		case <-time.After(time.Minute):
		case <-over:
		}
	}()
	<-ctx.Done()
	return nil
}

// single is one service, however often it is asked for, that cannot be served
// twice at a time.
func single(over <-chan struct{}) func() child.Service {
	var serving atomic.Bool
	s := child.Func(func(ctx context.Context) error {
		if serving.Swap(true) {
			panic("it is being served")
		}
		defer serving.Store(false)
		return wait(ctx, over)
	})
	return func() child.Service { return s }
}
