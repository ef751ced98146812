// Package child says what can be supervised: the contract of a service, the
// spec that says how it is to be treated, and how a run of it ended.
//
// # Services
//
// A [Service] is anything with Serve(ctx) error; [Func] makes one of a
// function, [Fresh] makes a new one for each incarnation. The packages below
// this one make services of programs ([child/process]) and hold the contract as
// test cases for services of one's own ([child/childtest]).
//
// A child's [Spec] is data. Its zero fields mean what OTP's defaults mean: a
// permanent worker that is given five seconds to stop.
//
// # From inside a run
//
// The context of a run leads back to the supervisor: [Ready] completes a
// start, [Beat] and, for a hot loop, [Pulse] are signs of life, [Killed] tells
// that the grace of a stop is over, [Path], [Incarnation] and [Logger] say who
// one is, [Publish] offers something to others. Without a run in the context
// they do nothing, are empty, or never close, so that a service can be tested
// alone.
//
// # Ready and alive
//
// A [Readiness] says when a start is complete, a [Liveness] by what signs a run
// is taken for alive from then on: because it beats, because it answers a ping,
// and because it has not lasted too long. A run that does not is told to stop,
// is killed when its grace is over, and has failed for a [Reason] of its own:
// ByReadiness, ByBeat, ByPing or ByMaxRun.
//
// # Guarantees
//
//   - Every way out of a run is an exit of its own kind: a return, an error, a
//     panic with its stack, a Goexit, a code, a signal.
//   - An exit's text is taken once, in the goroutine of the run.
//   - An exit's text is one line without control characters: valid UTF-8, and at
//     most a kilobyte.
//   - An exit stands whatever the methods of the error do: one whose methods
//     panic or end the goroutine is a failure all the same.
//   - A panic shows its stack from the innermost call to the run.
//   - A panic's value is never looked into: it is shown by its own methods or by
//     its type, and so is an error.
//   - A crash keeps the stack of its panic: a run that may end the program shows
//     where it failed.
//   - Every word of an enumeration reads back: text forms round-trip, and an
//     unknown one is an error that names it.
//   - A spec shows data and names, never what a service holds.
//   - Without a run in the context nothing happens.
//   - A beat that nobody hears does nothing.
//   - A beat allocates nothing: in a hot loop it costs a few nanoseconds.
//   - A beat is not lost to a look at the same time.
//
// [child/childtest]: https://pkg.go.dev/github.com/coppice-go/coppice/child/childtest
// [child/process]: https://pkg.go.dev/github.com/coppice-go/coppice/child/process
//
// [child/isolated]: https://pkg.go.dev/github.com/coppice-go/coppice/child/isolated
package child
