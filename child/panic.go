package child

import (
	"fmt"
	"runtime"
	"strconv"
	"strings"
)

// A PanicError is a panic of a run: its value and its stack. It unwraps to the
// value, if that is an error.
type PanicError struct {
	// Value is what the run panicked with. It is the user's: printing it by
	// reflection while somebody changes it is a race. Error does not.
	Value any

	text  string
	pcs   []uintptr
	stack string // of a panic elsewhere
}

// Error is the text of Value, taken in the goroutine that panicked: what Error
// or String say, a basic value itself, otherwise only the type.
func (e *PanicError) Error() string { return e.text }

// Unwrap is Value, if that is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// Stack is the stack of the panic from the innermost call to the run's Serve,
// at most 64 calls, made readable when it is asked for. That of a panic
// elsewhere is what was given.
func (e *PanicError) Stack() string {
	if e.pcs == nil {
		return e.stack
	}
	var b strings.Builder
	frames := runtime.CallersFrames(e.pcs)
	for {
		f, more := frames.Next()
		if f.Function == "" || strings.HasPrefix(f.Function, servePrefix) {
			break
		}
		if !strings.HasPrefix(f.Function, "runtime.") || f.Function == "runtime.Goexit" {
			b.WriteString(f.Function + "\n\t" + f.File + ":" + strconv.Itoa(f.Line) + "\n")
		}
		if !more {
			break
		}
	}
	return b.String()
}

// servePrefix begins the names of the functions below which a stack is ours.
const servePrefix = "github.com/coppice-go/coppice/child.Serve"

// maxDepth is how many calls of a panic's stack are kept.
const maxDepth = 64

// newPanic takes the stack of the goroutine that is panicking with v. It keeps
// program counters: names and lines cost ten times as much, and in a crash
// loop nobody reads them.
//
//go:noinline
func newPanic(v any) *PanicError {
	var pcs [maxDepth]uintptr
	const above = 4 // runtime.Callers, newPanic, caught, the deferred function
	n := runtime.Callers(above, pcs[:])
	return &PanicError{Value: v, pcs: append([]uintptr(nil), pcs[:n]...)}
}

// Recovered is what recover returned as an error. It is for those who write a
// supervisor, and so call a user's function and contain its panics: it is called
// by the deferred function that recovers.
//
//go:noinline
func Recovered(v any) *PanicError {
	p := newPanic(v)
	p.describe()
	return p
}

// PanicElsewhere is a panic that was not in this program: a service that runs a
// function in another one returns it as it is, and its run has panicked. The
// text of the value is taken at once, in the calling goroutine. The stack is
// shown as it is given.
func PanicElsewhere(v any, stack string) *PanicError {
	p := &PanicError{Value: v, stack: stack}
	p.describe()
	return p
}

// describe takes the text of the value, whose methods may panic themselves, or
// end the goroutine.
func (e *PanicError) describe() {
	asked := false
	defer func() {
		if !asked {
			_ = recover()
			e.text = unspeakable(e.Value)
		}
	}()
	e.text = valueText(e.Value)
	asked = true
}

// valueText is a panic's value as text. Anything may be in it, so only basic
// values are printed, and methods that say how.
func valueText(v any) string {
	switch v := v.(type) {
	case string:
		return clean(v)
	case error:
		return clean(v.Error())
	case fmt.Stringer:
		return clean(v.String())
	case bool, int, int8, int16, int32, int64, uint, uint8, uint16, uint32, uint64, uintptr,
		float32, float64, complex64, complex128:
		return fmt.Sprint(v)
	}
	return clean(fmt.Sprintf("a value of type %T", v))
}
