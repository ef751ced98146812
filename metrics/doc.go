// Package metrics shows a supervision tree to those who run it: to Prometheus,
// to whoever asks whether the program is healthy, and in a browser.
//
// [NewCollector] is a Prometheus collector, for a registry of your own.
// [Handler] serves all there is to see over HTTP: metrics, health, readiness,
// the tree as JSON, its events as a stream, a page that shows them, and changes
// for those who are allowed to make them. Alert rules, a dashboard, and how to
// load them lie beside this package; see its README.
//
// # Guarantees
//
// Each of these sentences is the name of a test.
//
//   - The metrics are named as they should be.
//   - A series for each path up to the limit.
//   - No counter ever goes down.
//   - Trees share a registry and collectors of one tree do not.
//   - Everything is served under the prefix and nothing is kept.
//   - Who may read and who may change.
//   - Readiness is of what is essential.
//   - A tree that failed is not healthy.
//   - Events are streamed and resumed.
//   - What others write is data only.
//   - Secrets do not leave the program.
package metrics
