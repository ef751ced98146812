// Package supervisortest is for tests of trees: a [Watcher] reads the events of
// a tree and says whether those came that a test expects.
//
//	func TestTheReaderIsRestarted(t *testing.T) {
//		synctest.Test(t, func(t *testing.T) {
//			sup, err := supervisor.Start(t.Context(), shop())
//			if err != nil {
//				t.Fatal(err)
//			}
//			w := supervisortest.Watch(t.Context(), sup)
//			err = w.Expect(
//				supervisortest.Exited("shop/ingest/reader", child.Failed),
//				supervisortest.Restarted("shop/ingest/reader"),
//			)
//			if err != nil {
//				t.Error(err)
//			}
//			if err := sup.Stop(context.Background()); err != nil {
//				t.Error(err)
//			}
//		})
//	}
//
// [Watcher.Expect] wants events in an order and lets others lie between,
// [Watcher.ExpectExactly] wants these and no others. Each goes on behind the
// last event that the call before has met. What they want is told by a
// [Matcher]: one of the functions named after what happens, such as [Started]
// and [Exited], or a combination of matchers and of functions of one's own.
//
// # Time
//
// Within a bubble of testing/synctest the clock is virtual: a delay of minutes
// passes at once, and a [Watcher.Timeout] of an hour costs nothing. A tree that
// was started in a bubble has to end in it, by Stop or with the t.Context that
// it was started with; otherwise the bubble reports a deadlock. Outside, the
// same calls wait on the wall clock. A Watcher is told of the past, so that
// nothing has to be watched before it happens: the tree may have started, and
// may have ended, long ago.
//
// # Guarantees
//
//   - Nothing is missed: events that came before the watcher was made are met.
//   - A tree that has not started yet can be watched.
//   - Expect takes the events in order and lets others lie between.
//   - Expect exactly takes no other event.
//   - A call goes on behind what the call before has met.
//   - A call that fails has taken nothing.
//   - No call waits longer than its timeout.
//   - A call takes no time for events that are there.
//   - In a bubble nothing that is due is overlooked.
//   - The end of the tree ends a call at once.
//   - Events that were lost are never taken for events that did not come.
//   - A mismatch shows what was expected, what came and where they differ.
//   - Without a bubble a watcher works on the wall clock.
//   - A watcher leaves nothing behind.
//   - A program that uses it is free of package testing.
package supervisortest
