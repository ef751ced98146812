// Package apart keeps what needs a deep stack off the stack of a goroutine that
// is to live long: a stack that has grown stays.
package apart

import "runtime"

// Call calls f in a goroutine of its own, whose stack goes with it, and returns
// when f has. A panic in f becomes the caller's, and so does a Goexit.
func Call(f func()) {
	var (
		panicked any
		returned bool
	)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() { panicked = recover() }()
		f()
		returned = true
	}()
	<-done
	switch {
	case panicked != nil:
		panic(panicked)
	case !returned:
		runtime.Goexit()
	}
}
