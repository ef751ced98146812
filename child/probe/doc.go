// Package probe asks from outside whether something is well: over HTTP, over
// TCP, or by a program. The module child/probe/grpcprobe beside it asks by the
// health protocol of gRPC.
//
// A probe is data with a method Ping, which serves wherever a child's spec takes
// a func(ctx) error: as the Ping of its liveness, for a child of any kind, and
// as the probe of its readiness.
//
//	ping := probe.HTTP{URL: "http://localhost:8080/healthz"}.Ping
//
// The context's deadline is the only timeout, and each answer is asked for
// anew: nothing is kept between two pings, neither a connection nor a process.
// A ping does not speak for the run in whose name it is made: it does not make
// that run ready, and publishes nothing.
//
// A probe of one's own can use [NewError] to fail in the same words.
//
// # Secrets
//
// A probe shows whom it asks and nothing that might be secret: no value of a
// header, no userinfo and no query of a URL, no arguments, no environment and
// nothing that it sends. What came back is shown in an error, redacted by the
// rule of the tree; what was wanted (Contains, Expect) is shown too.
//
// # Guarantees
//
// Each of these sentences is the name of a test.
//
//   - No ping outlives its deadline: whatever the other side does or leaves
//     undone. (A program that the kernel cannot kill is the exception: its ping
//     returns when it has ended.)
//   - A ping leaves nothing behind: no goroutine, no connection, no process.
//   - A failure is one short line without control characters.
//   - No probe shows a secret.
//   - What is read is bounded.
//   - A mistake is told and nothing is asked.
//   - An answer needs the status the headers and the body that are wanted.
//   - No redirect is followed unless that is asked for and none leaves the host.
//   - No proxy is used that the environment names.
//   - A program is well when it ends with the code 0.
//   - A program is killed with its group when the time is over.
//   - What holds the output of a program does not hold up its ping.
//   - A program does not speak for the run.
//   - A probe may be asked by many at once.
package probe
