package child

import (
	"context"
	"errors"
	"reflect"
	"runtime"

	"github.com/thejerf/suture/v4"
)

// Service is what a child runs. It is suture's interface, so that a service
// written for suture is a child as it is.
//
// Serve does the work in the goroutine it is called in and returns when the
// work is over. What it returns says how the run ended: nil is a normal end,
// after which a [Permanent] child, which is the default, is started again all
// the same; an error is a failure. A context that ends asks Serve to stop; nil, ctx's error
// or ctx's cause is then a clean answer. [suture.ErrDoNotRestart] says that
// this child is never to be started again, [suture.ErrTerminateSupervisorTree]
// that its supervisor and every one above it shall end.
//
// One call of Serve is one incarnation. A supervisor never calls Serve again
// before the call before has returned, unless the child's [Stuck] is
// [Abandon]. A service whose calls must share nothing is wrapped in [Fresh].
type Service = suture.Service

// Func makes a [Service] of a function. It prints as the function's name. A
// nil Func is refused by the supervisor's validation.
type Func func(ctx context.Context) error

// Serve calls f.
func (f Func) Serve(ctx context.Context) error { return f(ctx) }

// String is the name of the function that f is.
func (f Func) String() string { return funcName(f) }

// An Announcer is a [Service] that says itself when its start is complete, by
// calling [Ready] with the context of its run: a process when it executes, a
// supervisor when all its children have started. Its supervisor waits for that
// as if the child's [Spec] had a [Readiness].
type Announcer interface {
	Service
	// Announces reports whether Serve will call Ready. It is asked once, when
	// the tree is made.
	Announces() bool
}

// A Maker is a [Service] that is nothing but data: each run is served by what
// Make makes of it. Serve does the same, and is not called by a supervisor:
// a receiver that is large would lie on the stack for as long as the run lives.
type Maker interface {
	Service
	// Make makes the service for one run, before Serve.
	Make() Service
}

// Fresh makes a [Service] that calls f for a new service at the start of each
// incarnation, so that no incarnation sees what another left behind. A service
// that calls f nil or gets nil from it fails.
//
// The service that f makes may be an [Announcer]; one that is none has started
// as soon as it is made. Whatever else it is stays hidden, since a tree is made
// before it: it is not asked as a [Pinger], and not taken for a [Killer], so
// that with a [Liveness] the spec has to name a [Stuck]. A service that keeps
// nothing between its runs, as a command of child/process, needs no Fresh.
func Fresh(f func() Service) Service { return &fresh{make: f} }

// IsFresh reports whether s was made by [Fresh], and so hides what it runs.
func IsFresh(s Service) bool {
	_, ok := s.(*fresh)
	return ok
}

type fresh struct{ make func() Service }

var errFreshNil = errors.New("child: Fresh: the function made no service")

func (f *fresh) Announces() bool { return true }

// String is the name of the function that makes the services.
func (f *fresh) String() string { return "fresh " + funcName(f.make) }

// IsNil reports whether there is nothing to call.
func (f *fresh) IsNil() bool { return f.make == nil }

func (f *fresh) Serve(ctx context.Context) error {
	s := f.make()
	if s == nil {
		return errFreshNil
	}
	if a, ok := s.(Announcer); !ok || !a.Announces() {
		Ready(ctx)
	}
	return s.Serve(ctx)
}

// IsNil reports whether f is nil.
func (f Func) IsNil() bool { return f == nil }

// Missing reports whether s is no service at all: nil, a nil pointer, function
// or map, or a [Fresh] around nil. It calls IsNil of a service that has it.
// For those who write a supervisor, which refuses such a child.
func Missing(s Service) bool {
	if s == nil {
		return true
	}
	switch v := reflect.ValueOf(s); v.Kind() {
	case reflect.Pointer, reflect.Func, reflect.Map, reflect.Chan, reflect.Slice:
		if v.IsNil() {
			return true
		}
	}
	n, ok := s.(interface{ IsNil() bool })
	return ok && n.IsNil()
}

// funcName is the name that the linker gave to the function f; a closure's is
// that of the function around it with a suffix.
func funcName(f any) string {
	v := reflect.ValueOf(f)
	if v.IsNil() {
		return "nil"
	}
	if fn := runtime.FuncForPC(v.Pointer()); fn != nil {
		return fn.Name()
	}
	return v.Type().String()
}
