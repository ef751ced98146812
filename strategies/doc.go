// Package strategies holds the decisions of a supervisor as values and pure
// functions: who shares the fate of a child that failed, how many restarts are
// too many, and how long to wait before the next one.
//
// Nothing here starts a goroutine, takes a lock, reads a clock or draws a
// random number. Time comes in as a [time.Duration] since an epoch of the
// caller's choice, which must not go backwards (a monotonic clock), and
// randomness as a float64 in [0, 1). So every decision can be repeated,
// tabulated and fuzzed. Values of all types may be shared; only [Window] has
// state, and belongs to one goroutine at a time.
//
// # Who shares a fate
//
// A [Strategy] turns the position of the failed child into the span of siblings
// that are stopped and started with it. The words and the rules are those of
// Erlang/OTP's supervisor.
//
// # How many restarts are too many
//
// An [Intensity] says how many restarts are allowed within which period, and a
// [Window] counts them: one for each child, or one for all children of a
// supervisor. The window slides and is exact. OTP's counts whole seconds, so
// that what it says about the last second of the period depends on when that
// second began.
//
// # How long to wait
//
// A [Backoff] is the rule of Twisted's process monitor: a run that was too
// short waits, and each such run in a row waits twice as long as the one
// before, up to a maximum; a run that was long enough is followed at once by
// the next.
//
// # The two layers
//
// The backoff says when the next attempt is made. At that moment, not at the
// exit, the window counts it and says whether it may be made. With the defaults
// a child that dies at once is tried ever more slowly and harms nobody, and one
// that keeps dying just after the threshold, which no delay would hold back,
// makes its supervisor give up. [Timeline] shows both layers at work on one
// child.
//
// # Zero values and text
//
// The zero value of every type is a useful default, and so is that of every
// field: WithDefaults shows what is meant by it. Strategy, Intensity and
// Backoff print as short text that parses back to the same value; that text is
// also their form in JSON. Mistakes are told as [FieldError].
//
// # Guarantees
//
// Each of these sentences is the name of a test.
//
//   - One for one takes only the failed child.
//   - One for all takes every child.
//   - Rest for one takes the failed child and those after it.
//   - The failed child is always in its own span.
//   - N restarts within the period are allowed and the next is refused.
//   - An age equal to the period still counts.
//   - A refused attempt is not stored.
//   - A limit of zero refuses the first restart.
//   - Unlimited allows everything and stores nothing.
//   - A new limit applies to the restarts already counted.
//   - The window agrees with a list of everything that happened.
//   - The window never holds more than N entries.
//   - The window gives its memory back.
//   - The cost of a restart does not grow with the restarts seen.
//   - Counting changes nothing.
//   - A clock that goes backwards does no harm.
//   - A short run waits the delay which then doubles up to the maximum.
//   - A run as long as the threshold is followed at once and resets the delay.
//   - Jitter adds at most its share and never enters the state.
//   - None means no delay.
//   - No delay ever overflows.
//   - No delay is shorter than the one before.
//   - The delay is always within Min and Max.
//   - A value works without its defaults applied.
//   - Defaults applied twice are applied once.
//   - A field that was given is kept.
//   - Every valid value survives text and JSON.
//   - Every mistake is told with its field and value.
//   - A text that does not parse leaves the value alone.
//   - A child that dies at once is tried ever more slowly and never refused.
//   - A child that dies just after the threshold is refused its fourth restart.
//   - The attempt is made and counted after the delay.
//   - The timeline is what both layers say.
//   - The package knows no goroutine lock clock or random source.
package strategies
