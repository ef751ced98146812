package isolated

import (
	"errors"
	"fmt"
	"strings"

	"github.com/thejerf/suture/v4"

	"github.com/coppice-go/coppice/child"
)

var (
	// ErrNoHook is the end of a copy of a program that did not call [Main], and
	// the answer to who wants to run a function in such a program. Its text
	// says what is missing.
	ErrNoHook = errors.New("isolated: the program does not call isolated.Main, so that a copy of it would run all of main: " +
		"begin it with func main() { isolated.Main(); ... }, " +
		"and, where tests run isolated functions, func TestMain(m *testing.M) { isolated.Main(); os.Exit(m.Run()) }")
	// ErrMessage is the end of a copy that sent something that is no message.
	ErrMessage = errors.New("isolated: what came is no message")
	// ErrNoWord is the end of a copy that has not said its first word in time.
	ErrNoWord = errors.New("isolated: the copy has not said a word within " + firstWord.String())
	// ErrNoResult is the end of a copy that ended with the code 0 before its
	// function did, as by os.Exit(0).
	ErrNoResult = errors.New("isolated: the copy ended with the code 0 before the function did")
	// ErrNotRunning is the answer to a ping where no copy runs.
	ErrNotRunning = errors.New("isolated: no copy runs")
)

// missing are the lines that somebody is shown who has forgotten the hook.
const missing = `isolated: this is a copy of a program that does not call isolated.Main, and would run all of main
(or what comes before the call takes longer than 4 s).
Let main begin with it:

	func main() {
		isolated.Main()
		...
	}

and, where tests run isolated functions, their main too:

	func TestMain(m *testing.M) {
		isolated.Main()
		os.Exit(m.Run())
	}
`

// A RefusalError says why a copy had nothing to run: its function is not
// registered, or is another one. It comes within a [*child.StartError].
type RefusalError struct {
	// Name is that of the function.
	Name string
	// Reason says what was wrong, in words.
	Reason string
}

// Error is the reason.
func (e *RefusalError) Error() string { return "isolated: " + e.Reason }

// A FunctionError is the error that a function returned in its copy. Its text
// is all that has come, and that it is, or wraps, suture.ErrDoNotRestart or
// suture.ErrTerminateSupervisorTree.
type FunctionError struct {
	// Text is that of the error.
	Text string

	sentinel error
}

// Error is the text.
func (e *FunctionError) Error() string { return e.Text }

// Unwrap is the error of suture that the function's wraps, or nil.
func (e *FunctionError) Unwrap() error { return e.sentinel }

// A CrashError is the value of the [child.PanicError] of a copy that crashed:
// by a panic of the function, or of a goroutine of its own, by a fault, or by
// what Go calls a fatal error.
type CrashError struct {
	// Text is what the panic or the runtime said, in one line.
	Text string
	// Status is how the process ended, if its function did not.
	Status *child.StatusError
}

// Error is the text.
func (e *CrashError) Error() string { return e.Text }

// Unwrap is Status.
func (e *CrashError) Unwrap() error {
	if e.Status == nil {
		return nil
	}
	return e.Status
}

// A LimitError is the end of a copy that wanted more than its Memory.
type LimitError struct {
	// Limit is how many bytes it may have.
	Limit uint64
	// Err is how it ended: a [*child.StatusError] or a [*child.PanicError]. It
	// is not in the chain of the error.
	Err error
}

// Error is the limit, and how the copy ended.
func (e *LimitError) Error() string {
	return fmt.Sprintf("isolated: more memory than the limit of %d bytes: %v", e.Limit, e.Err)
}

// StopReason is [child.ByLimit].
func (*LimitError) StopReason() child.Reason { return child.ByLimit }

// error is how the function ended, as the error of the run.
func (m endMessage) error() error {
	switch {
	case m.Panicked:
		return crashed(m.Text, m.Stack, nil)
	case m.Goexit:
		return &FunctionError{Text: "the goroutine of the function ended (runtime.Goexit)"}
	case m.Never:
		return &FunctionError{m.Text, suture.ErrDoNotRestart}
	case m.Terminate:
		return &FunctionError{m.Text, suture.ErrTerminateSupervisorTree}
	case m.Failed:
		return &FunctionError{Text: m.Text}
	}
	return nil
}

func crashed(text, stack string, how *child.StatusError) error {
	return child.PanicElsewhere(&CrashError{text, how}, stack)
}

// crashOf is what the runtime said of a crash, and its stacks.
func crashOf(report string) (text, stack string) {
	before, _, found := strings.Cut(report, "\ngoroutine ")
	if found {
		stack = report[len(before)+1:]
	}
	for line := range strings.Lines(before) {
		line = strings.TrimSpace(line)
		for _, prefix := range []string{fatal, "panic: "} {
			if s, ok := strings.CutPrefix(line, prefix); ok {
				return s, stack
			}
		}
		if text == "" {
			text = line
		}
	}
	return text, stack
}
