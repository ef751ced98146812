// Package process runs an operating system program as a child.
//
// A [Command] is a [child.Service]: data that says which program, with which
// arguments, environment and directory, and where its output goes. One call of
// Serve is one attempt and one process.
//
//	child.Spec{Name: "cache", Run: process.Command{Path: "redis-server", Args: []string{"--port", "6390"}}}
//
// # Starting
//
// The start is complete when the program executes: Serve then calls
// [child.Ready]. What was in the way before that is a [*child.StartError],
// which says whether it may succeed unchanged later.
//
// # Stopping
//
// The process leads a group of its own. When the context ends, the whole group
// is asked (SIGTERM, and SIGCONT for those that were stopped); when
// [child.Killed] closes, it is killed. Whatever remains of the group when the
// leader has ended, by itself or not, is killed too: no process of a run
// overlaps the next run, except one that left the group on purpose.
//
// # Output
//
// Each stream has an [Output]: lines to the log of the run, lines to a writer
// or to a file that is rotated, our own descriptor, or nowhere. Whoever takes
// the lines can be slow, fail, panic or never return: that holds up the writing
// process, once its pipe is full, and neither its exit nor anybody else.
//
// # Statistics
//
// [Handle.Stats] is a sample of what a process and its whole tree use, now;
// [Handle.Watch] are samples at an interval; [Sample] is one of every process
// of this program. A [Quota] ends a run that uses too much. One goroutine reads
// /proc for all of them, and only while somebody wants to know. Needs Linux.
//
// # Once
//
// [Run] runs a program outside of any tree and returns what it printed.
//
// # Definitions
//
// A [Config] is a definition of a process as it stands in a file.
//
// # What a process says
//
// A program can tell when its start is complete, by a line of its output, by a
// newline on a descriptor, or by READY=1 of systemd's protocol: see [Ready] and
// [Notify]. By the latter it also says what it is busy with, and that it is
// alive.
//
// # Where
//
// Linux on amd64 and arm64 has all of it, needs no thread for a process that
// runs, and starts one by a step of its own: an exec that hangs holds up nobody
// else, and a start costs the same however many descriptors are open. For that
// eight descriptors stay open from the first start on. Elsewhere, and under the
// build tag coppice_forkexec, processes are started by syscall.ForkExec, which
// can do less: [Command.Validate] refuses what it cannot.
//
// On other Unix systems each process takes a thread, and what is left of the
// group is killed only after its leader has been waited for, when its number
// might in theory belong to somebody else. On Windows there are no groups and
// no signals: a stop is a kill of the one process, and its descendants stay.
//
// # Guarantees
//
// Each of these sentences is the name of a test.
//
//   - One serve is one process and keeps nothing in the command.
//   - The start is complete when the program executes.
//   - A start error names what was wrong and whether it is for now.
//   - A failed start leaves nothing behind.
//   - A command shows the name of its program and nothing else.
//   - Every mistake is told with its field and never with a secret.
//   - The exit code the signal and the core are told.
//   - A told process that obeys has stopped cleanly.
//   - A process that ignores the request is killed when the grace is over.
//   - A stopped process is woken to be told.
//   - What remains of the group is killed with its leader.
//   - A successor starts after the group is gone.
//   - Nothing that holds the pipe delays the exit.
//   - What was printed before the exit arrives.
//   - A line is whole or marked as partial.
//   - Logged output is redacted and cannot forge a line.
//   - A writer gets each line in one call.
//   - A consumer that blocks does not hold up the exit.
//   - A consumer that fails panics or exits its goroutine is contained.
//   - A full disk holds up nobody and what is lost is counted.
//   - A file and its predecessors have a bound.
//   - A silent process is ended by abort and then stop.
//   - One call that takes too long is ended and says so.
//   - Every mistake of a definition names field and value.
//   - A definition shows no secret but as JSON.
//   - Standard input is empty.
//   - Nothing is left after serve.
//   - The start is complete when all signs have come.
//   - The last words of a process can be its signs.
//   - A start takes no longer than it may unless the process asks.
//   - No sign of life in time fails the run.
//   - What a process says is shown.
//   - A message of a stranger is refused.
//   - A stop is extended within what it may take.
//   - The run goes on with the main process that was named.
//   - Four that flood their sockets cost a sibling nothing.
//   - A socket is gone with its run.
//   - A running process takes no thread.
//   - A sample counts the process and its whole tree.
//   - The share of a processor is that since the sample before.
//   - The processor time of a tree never goes down.
//   - After the end there are no statistics.
//   - A process is never taken for its successor.
//   - A sample of all has every process that runs.
//   - A watch ends with the process or its context.
//   - A listener that does not read does no harm.
//   - One pass serves all who want a sample.
//   - Nothing is read while nobody listens.
//   - A quota ends the run when it was passed several times in a row.
//   - A run ended by its quota says memory or CPU.
//   - A quota begins with the abort ladder.
//   - A process within its quota runs on.
package process
