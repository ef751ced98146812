// Package oteltrace makes traces of a supervision tree for those who use
// OpenTelemetry: a span for each run of a child, from its start to its exit. It
// reads the tree's events and is a module of its own, so that who needs no
// OpenTelemetry does not get it.
//
//	go oteltrace.Run(ctx, sup, provider, oteltrace.Options{})
//
// A span has the path of the child as its name and is a trace of its own, with a
// link to the span of the run before, so that one can go back from restart to
// restart. Its attributes are
//
//   - coppice.path, coppice.incarnation and coppice.restarts: whose run it was,
//     which one, and how many automatic restarts there were,
//   - coppice.exit and coppice.cause: the kind of the exit, and why the run was
//     told to stop if it was,
//   - coppice.next: what followed,
//   - coppice.incomplete: true where the start or the end was not seen.
//
// That the start is complete, a stop, a kill, a run that is stuck, a supervisor
// that gives up and the delay before a restart are events in the span, with the
// time at which they happened.
//
// # Guarantees
//
// Each of these sentences is the name of a test.
//
//   - Each run is a span from its start to its exit.
//   - A failure is the status of its span with its text.
//   - A stop that was asked for is no error.
//   - The delay before a restart is an event.
//   - A run is linked to the one before.
//   - A span that nobody ends is ended as incomplete.
//   - Lost events leave no span open.
//   - No more spans are open than the limit says.
package oteltrace
