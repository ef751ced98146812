//go:build unix

package spawn

import "runtime"

// lasting hands work to threads that never end.
var lasting = make(chan func())

// onLastingThread runs f on a thread that lives as long as our program: the
// system takes the end of the thread that forked for the death of the parent.
// Such threads are kept; there are as many as were ever needed at once.
func onLastingThread(f func()) {
	done := make(chan struct{})
	work := func() {
		defer close(done)
		f()
	}
	select {
	case lasting <- work:
	default:
		go func() {
			runtime.LockOSThread()
			for ; ; work = <-lasting {
				work()
			}
		}()
	}
	<-done
}
