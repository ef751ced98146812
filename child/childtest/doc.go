// Package childtest is the contract of a [child.Service] as test cases that
// anyone can run against a service of their own, before a supervisor does:
//
//	func TestTheReaderKeepsTheContract(t *testing.T) {
//		synctest.Test(t, func(t *testing.T) {
//			err := childtest.Test(func() child.Service { return reader.New() }, childtest.Options{})
//			if err != nil {
//				t.Error(err)
//			}
//		})
//	}
//
// [Test] works within a bubble of testing/synctest, where it takes no time, and
// outside, where a service that keeps the contract takes about half a second.
//
// # Cases
//
//   - "panic": no run panics or ends its goroutine with runtime.Goexit.
//   - "stays": Serve does not return before it is told to, unless
//     [Options].Once says that it may.
//   - "ready": a service that announces its start calls [child.Ready], within
//     the grace and before it returns.
//   - "stop": Serve returns within the grace after its context has ended.
//   - "answer": what Serve answers to a stop is nil, the context's error or the
//     context's cause, or that it is never to be started again.
//   - "goroutines": no goroutine that a run started is left when Serve has
//     returned.
//   - "killed": Serve returns within the grace when the stop leaves it none.
//   - "ended": with a context that has ended before, Serve still does all this.
//   - "restart": the same service does all this when it is served again, unless
//     it said that it is never to be started again.
//   - "together": two services that newService made do all this side by side.
//
// The last four tell only what a run does wrong there that the first run did
// right, so that each mistake is told once.
//
// # Guarantees
//
//   - A service that keeps the contract has no violations.
//   - Each mistake is a violation of its own case.
//   - A service that hangs does not hang the suite.
//   - A violation says which case and what and why.
//   - Without a bubble the suite works on the wall clock.
package childtest
