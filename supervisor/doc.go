// Package supervisor runs trees: supervisors that start their children in
// order, restart them when they fail, give up when that happens too often, and
// stop them in the reverse order, by the rules of Erlang/OTP.
//
// # A tree
//
// A tree is data: a [Spec] with children, of which some are specs of
// supervisors again. [Run] starts it and waits for its end, [Start] starts it
// and returns a [Supervisor]; [Options] holds what is not data.
//
//	err := supervisor.Run(ctx, supervisor.Spec{
//		Name: "shop",
//		Children: []child.Specer{
//			child.Spec{Name: "web", Run: child.Func(serveWeb)},
//			supervisor.Spec{Name: "ingest", Strategy: strategies.OneForAll, Children: ...},
//		},
//	})
//	os.Exit(supervisor.ExitStatus(err))
//
// Two layers bound the restarts. The Backoff says when the next attempt is
// made; at that moment the Intensity counts it, and says whether it may be
// made. If not, the supervisor stops its other children and ends, and the one
// above it decides: the failure goes up, where more is started anew, and at
// last out of Run.
//
// # While it runs
//
// A [Ref] names a place by its path and stays good through restarts; its calls
// are OTP's, with OTP's answers. [Supervisor.Snapshot] shows the tree,
// [Supervisor.Events] all that happens in it, [Get] what a child offers.
//
// # Ready and alive
//
// The Ready of a child says what its start waits for, and with it the start of
// the next; its Liveness by what signs it is taken for alive from then on. One
// that does not give them has failed: it is told to stop, killed when its grace
// is over, and restarted by the ordinary rules. All children are looked at in
// sweeps, an eighth of the time that is asked for apart; there is no goroutine
// and no timer for each. The Status of a child shows its [Vitals].
//
// # Stopping
//
// The end of the context given to Run or Start is an orderly stop, and so is
// [Supervisor.Stop]. Each child has the grace of its spec, the whole stop that
// of the root, or the deadline of Stop's context. When that is over, all that
// is left is killed in one step. A goroutine cannot be killed: one that still
// runs then is named, with its stack, in a [StopError].
//
// # Guarantees
//
//   - Two incarnations of a child never overlap, unless its Stuck is Abandon:
//     not through restarts, calls, the rebuilding of a subtree or a second
//     Serve.
//   - An exit is never lost, never counted twice, and never taken for that of
//     another run.
//   - Children start one after the other in order, each start being complete
//     before the next begins; if one fails, those before it are stopped, in
//     reverse order, and the start fails.
//   - Children stop one after the other in the reverse order, except where the
//     spec says together; within the budget of the whole stop and a second.
//   - Under one_for_one every child has a life of its own: one that waits,
//     starts or stops holds up no other.
//   - N restarts within the period are allowed, the next is refused, exactly.
//   - What a run returns that was told to stop is never counted.
//   - Incarnations are numbered for each path and never used again.
//   - No function of the user's runs under a lock of the tree or in a
//     goroutine that it depends on: one that panics, ends its goroutine or
//     hangs harms its own child at the most.
//   - A start is complete when all that its readiness names has come true.
//   - A start whose readiness does not come has failed and says why.
//   - Liveness is asked for only when the start is complete.
//   - A run that gives no sign of life in time is stopped and its exit says
//     which it was: a beat, a ping, or that it has lasted too long, whatever it
//     returned.
//   - No run is taken for dead too early: and at the latest an eighth of the
//     time too late.
//   - A run that spins is found and its Stuck says what follows.
//   - No child is asked twice at a time: a ping or probe that does not return,
//     panics or ends its goroutine has failed, and leaves one goroutine behind
//     at the most.
//   - A late verdict upon an earlier run does nothing.
//   - Reading (Snapshot, Events, Children, Count, Spec, Status) waits for no
//     start and no stop, and no reader of events slows the tree.
//   - A mistake in a spec is reported with path, field and value, all mistakes
//     at once, before anything has started.
package supervisor
