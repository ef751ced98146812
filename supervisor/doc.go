// Package supervisor runs trees: supervisors that start their children in
// order, restart them when they fail, give up when that happens too often, and
// stop them in the reverse order, by the rules of Erlang/OTP. The page docs/OTP.md
// numbers these rules and says where this package differs.
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
//	if err != nil {
//		fmt.Fprintln(os.Stderr, err)
//	}
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
// Each of these sentences, up to its colon, is the name of a test.
//
// Of starts:
//
//   - A start is complete when the service says so: a worker's when it runs, or
//     with Ready when it calls child.Ready, a supervisor's when all its children
//     have started.
//   - Children start one after the other in order: each start is complete before
//     the next begins.
//   - A start that fails at init is rolled back in reverse order: those that had
//     started are stopped, and Start and Run return why.
//   - A start that fails later is retried and counted.
//   - A run that ends before its readiness has failed to start: except with
//     suture.ErrDoNotRestart, after which the child is down.
//   - A readiness that does not come within its patience is a failed start:
//     thirty seconds unless the spec says otherwise, for each attempt.
//   - A failed start is a short run however long it took: and the length of any
//     other counts from its readiness.
//   - A stop interrupts a start.
//
// Of restarts:
//
//   - N restarts within the period are allowed and the next is refused: exactly;
//     an age equal to the period still counts.
//   - Under one for one every child has a life of its own: one that waits for its
//     readiness, its delay or its grace holds up no restart of another and no call
//     about another.
//   - A group whose child failed stops at once and waits down.
//   - A stop, a terminate and a bounce end a delay.
//   - A deliberate stop is no failure: it is not counted and makes no delay grow.
//   - What a run returns that was told to stop is never counted: nil,
//     context.Canceled and the context's cause are clean, anything else is told
//     once.
//   - A run whose readiness was late has failed whatever it returns.
//   - To be cancelled without having been told is a failure.
//   - Being told to stop is a nil return or none: what OTP calls normal and
//     shutdown restarts no transient child.
//   - A supervisor that gave up has shut down for the one above: what follows is
//     up to its restart type, and its error carries the cause.
//   - A supervisor that gave up has had a short run however long it lived.
//   - The error of a supervisor unwraps to the exit that caused it: what siblings
//     answered when they were stopped is listed and is not in the chain.
//
// Of runs:
//
//   - Two incarnations of a child never overlap unless its Stuck is Abandon: not
//     through restarts, calls, the rebuilding of a subtree or a second Serve.
//   - Incarnations are numbered for each path and never used again.
//   - An exit is never lost nor counted twice: nor taken for that of another run.
//   - A panic is an exit with its stack: and runtime.Goexit one of its own kind.
//   - A second Serve starts afresh: incarnations and events are numbered on.
//
// Of readiness and liveness:
//
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
//
// Of stops:
//
//   - Children stop one after the other in the reverse order: the grace of each
//     begins when it is told.
//   - Children that stop together share one timer: those of a template, and where
//     the spec says StopTogether.
//   - A goroutine that outlives its grace is stuck: Killed is closed, it is shown
//     as stuck, and everybody outside its group goes on.
//   - Stuck says what follows: Wait starts no successor while the run lives,
//     Escalate gives up with its stack, Abandon starts one beside it.
//   - A stop takes no longer than its budget and a second: the deadline of Stop's
//     context, or else the root's Shutdown; it names who blocked it, for how long,
//     and with which stack.
//   - The earliest deadline of a stop holds: whoever calls Stop can make it sooner
//     and not later.
//   - A context that is cancelled ends the wait and not the stop.
//   - The end of the context given to Start or Run is an orderly stop.
//
// Of calls and readers:
//
//   - The context of a call bounds the wait and never the act.
//   - A call of a child that is not ready upon who waits for it is refused: with
//     ErrStarting, instead of a deadlock.
//   - A call of a child about itself returns when its context ends.
//   - A Ref stays good through restarts and rebuilding.
//   - Nobody gets what a dead incarnation has published.
//   - Nobody gets what a dying incarnation has published: from when it was told to
//     stop.
//   - The order of starts is the order everywhere: in Children and a Snapshot, and
//     a child that a call adds is the last.
//   - Reading waits for no start and no stop: Snapshot, Events, Children, Count,
//     Spec and Status.
//   - Events come in order and say how many are missing.
//   - No reader of events slows the tree.
//   - A crash loop does not fill the log: not that of a subtree that is rebuilt
//     again and again either; the next line says how many were held back.
//   - No function of the user's runs under a lock of the tree: nor in a goroutine
//     that it depends on; one that panics, ends its goroutine or hangs harms its
//     own child at the most.
//
// Of specs and secrets:
//
//   - Every mistake in a spec is told at once: with path, field and value, before
//     anything has started.
//   - A name is one to 63 letters, digits, dots, dashes and underscores: and begins
//     with neither a dot nor a dash.
//   - A child of a template has a name.
//   - A running tree is not changed by what becomes of its spec.
//   - What a child says is a line of data everywhere: in exits, events, log lines
//     and errors there are no escape sequences or line breaks of its making.
//   - A value of the environment never leaves the program.
package supervisor
