// Package systemd keeps systemd informed about the tree of a program that runs
// as one of its services: ready, alive, busy with what, stopping.
//
// [Run] takes the place of [supervisor.Run] in main:
//
//	func main() {
//		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
//		defer stop()
//		os.Exit(supervisor.ExitStatus(systemd.Run(ctx, supervisor.Options{}, tree)))
//	}
//
// and the unit says so:
//
//	[Service]
//	Type=notify
//	ExecStart=/usr/local/bin/shop
//	WatchdogSec=30
//	Restart=on-failure
//
// Without systemd, that is without the variable NOTIFY_SOCKET, it does nothing
// more than run the tree. A program that has its own way to run a tree calls
// [Notify] beside it.
//
// # What is told
//
//   - READY=1, when all children have started.
//   - STATUS=, a line such as "6 of 7 children running, 1 restarting", when it
//     changes; at the end, why the tree has ended. `systemctl status` shows it.
//   - WATCHDOG=1, if the unit has WatchdogSec, as long as the tree is healthy.
//   - STOPPING=1, when the tree begins to stop, with EXTEND_TIMEOUT_USEC: how
//     long its spec grants the stop, so that TimeoutStopSec does not cut off a
//     longer one. A spec without a bound leaves it to TimeoutStopSec.
//
// # Health
//
// The watchdog is for what the tree cannot help itself against. A tree is
// healthy while its root starts or runs, and each of its supervisors has
// answered when it was asked for its state. So systemd acts when
//
//   - the root has given up or stops, and the program does not end for it,
//   - a supervisor does not answer any more, which would be a mistake in this
//     library, or
//   - the program as a whole does not get to run.
//
// A child that fails, waits for its restart, or is stuck is its supervisor's
// business, and no reason to restart everything. If it is one, let it make its
// supervisor give up: by its Intensity, or by Escalate.
//
// # Guarantees
//
// Each of these sentences is the name of a test.
//
//   - Ready is said once when all children have started.
//   - The watchdog is fed at half its time while the tree is healthy.
//   - A tree that has given up is not fed.
//   - A supervisor that does not answer is not fed.
//   - The status follows the tree and is told at most once a second.
//   - Stopping is said at the beginning of a stop with the time that it may take.
//   - A stop that is over at once is said too.
//   - What could not be sent is sent again.
//   - Without a socket nothing is done.
//   - Paths and abstract names are addresses.
//   - A watchdog for another process is left alone.
//   - Mistakes in the environment are told and hinder nothing else.
//   - Run returns what supervisor Run returns.
//
// The package never starts a process, changes the environment, or reads
// anything from systemd.
package systemd
