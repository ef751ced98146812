// Package isolated runs a Go function in a process of its own: a copy of the
// program itself. Such a worker can leak, crash, call os.Exit, or spin with a
// lock held, and it can be killed; the program lives on, the child is
// restarted, and the cause is told.
//
// A function is registered at the level of the package, the hook is the first
// line of main, and what the function makes of an argument is a child:
//
//	var work = isolated.Register("work", func(ctx context.Context, in In) (Out, error) { ... })
//
//	func main() {
//		isolated.Main()
//		...
//		child.Spec{Name: "worker", Run: work.With(In{...})}
//	}
//
// Tests that run such functions have the same line in their TestMain.
//
// # The copy
//
// On Linux a copy executes what this program executes, whatever is at its path
// by now. Elsewhere it is started by path, and refuses if its build id is
// another. It runs the hook and nothing else of main; what is initialized at
// the level of the package runs in it as in the program. The copy ends with its
// function, with its parent, and when it is killed. Windows has no way to talk
// to a copy, and Validate says so.
//
// # Inside
//
// The context of the function leads to the supervisor of the parent: Ready and
// Beat of package child do there what they say, Killed is closed for the last
// words, Path and Incarnation are the child's, the status of Facts that are
// published is shown, and Logger, which is slog's default in the copy, logs to
// the parent's log at the levels that it took when the copy started. Nothing
// else that is published leaves the copy.
//
// # Outside
//
// The argument goes to the copy as JSON, and so does the result come back; it is
// read as the type that the parent has for it, and never as one that the copy
// names. Messages have a bound, and who sends something else is killed. A copy
// that hangs shows where if its Command has an Abort of SIGQUIT. The
// process is one of package child/process, which a Service lets one say all
// about that a Command can say: user, limits, control group, quota, ladders,
// output.
//
// # Guarantees
//
// Each of these sentences is the name of a test.
//
//   - A result has the type of the parent.
//   - An error of the function is told with its text.
//   - A panic arrives with its stack.
//   - A crash of a goroutine arrives with its stack.
//   - The program lives on whatever the function does.
//   - A leak ends at the limit of memory.
//   - A function that spins is found by its beat.
//   - A function that holds its lock is found by its ping.
//   - The start is complete with the first word or when the function says so.
//   - A stop ends the context with its reason.
//   - A copy has time for last words.
//   - Log lines arrive in the log of the run.
//   - Output is captured as for any process.
//   - A copy ends with its parent.
//   - A copy runs the program that runs.
//   - A program without the hook makes no copy and says what is missing.
//   - A copy without the hook ends and makes no copy.
//   - A function that is not registered is an error at once.
//   - A changed argument is an error at once.
//   - The children of a copy are no copies.
//   - A copy runs as another user.
//   - The copy keeps to its limits.
//   - A stream that is not of messages ends the copy.
package isolated
