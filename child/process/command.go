package process

import (
	"context"
	"path/filepath"
	"time"

	"github.com/coppice-go/coppice/child"
)

// Command is a program to run as a child. It is data: it can be copied, and
// run by any number of supervisors at the same time, as long as nobody changes
// what its slices hold. The zero value is not valid, because it names no
// program.
type Command struct {
	// Path is the program. Without a slash it is looked up in the PATH of its
	// environment; entries of PATH that are not absolute are passed over. A
	// relative path with a slash is relative to Dir. With Shell it is a script.
	// Required.
	Path string
	// Args are the arguments, without the name of the program. Optional.
	Args []string
	// Shell runs Path as a script of sh, which sees Args as $1, $2 and so on:
	// they never become part of the script. Optional.
	Shell bool
	// Env are entries KEY=value beside those of our environment, in their
	// place where the key is the same; of two with the same key the later one
	// counts. What concerns us alone is never inherited: NOTIFY_SOCKET,
	// WATCHDOG_PID, WATCHDOG_USEC and LISTEN_*. Optional.
	Env []string
	// CleanEnv makes Env the whole environment. Optional.
	CleanEnv bool
	// Dir is the directory that the program starts in. Optional; zero is ours.
	Dir string
	// Stdin is where its input comes from. Optional; zero is empty: the
	// program reads the end at once.
	Stdin Input
	// Stdout is where its output goes. Optional; zero is the log of the run.
	Stdout Output
	// Stderr is where its error output goes. Optional; zero is the log of the
	// run. With the Label or the Writer of Stdout both go through one pipe, and
	// come in the order in which they were printed.
	Stderr Output
	// Sockets are passed on by the protocol of systemd: from descriptor 3 on,
	// with LISTEN_FDS, LISTEN_PID and LISTEN_FDNAMES. Optional.
	Sockets []Socket
	// Streams are further descriptors, after the sockets. Optional.
	Streams []Stream
	// Ready is by which signs the program tells that its start is complete.
	// Optional; zero is that it is when the program executes.
	Ready Ready
	// Notify gives it a socket for systemd's protocol, by which it tells that
	// it is ready, alive, or busy with something. Optional; zero is none.
	Notify Notify
	// User is who it runs as. Optional; zero is us.
	User User
	// System is what the operating system is told about it. Optional.
	System System
	// Stop is how it is asked to end. Optional; zero is [Terminate].
	Stop Ladder
	// Abort comes before Stop when the process is ended because it gave no
	// sign of life or used more than it may, so that it can say what it was
	// doing. Optional; zero is nothing.
	Abort Ladder
	// Reload is how it is asked to read its configuration again. Optional;
	// zero is SIGHUP to the process.
	Reload Ladder
	// Idle is how long it may print nothing, on any stream that comes to us. A
	// process that is silent for longer is ended, by Abort and Stop, and has
	// failed with [ErrIdle]. A program that is held up by who takes its output
	// is silent too, unless the Output has Drop. Optional; zero is for ever.
	Idle time.Duration
	// Endings says which ends are no failure. Optional; zero is the code 0.
	Endings Endings
	// Quota is what it may use. Optional; zero is no limit.
	Quota Quota
	// Containment is how far its descendants are held together. Optional; zero
	// is a session of its own, and its process group.
	Containment Containment
	// Leftovers says what becomes of those of its group that are left when it
	// has ended. Optional; zero is that they are killed.
	Leftovers Leftovers
	// Orphan says what becomes of the process when our program dies. Optional;
	// zero is that it is killed.
	Orphan Orphan
	// Detach makes a stop leave the process running: the run ends, and nobody
	// looks after the process any more. What it prints must not come to us, as
	// it would be killed by SIGPIPE at the first line after that: Stdout and
	// Stderr have to be Inherit or Discard, and a program that wants a file
	// opens it itself. Optional; use it with Orphan LiveOn.
	Detach bool
	// Before is called before each start. A failure is a failed start.
	// Optional.
	Before Hook
	// After is called after each end. Optional.
	After Hook
	// PIDFile is where a program that leaves itself (that forks, and whose
	// first process ends with the code 0) writes the number of the process
	// that stays, relative to Dir. The start is complete when it has; from
	// then on that process is the one meant by everything here. It is no child
	// of ours, so that nobody learns how it ends: an end without a stop is an
	// [ErrStatusLost]. Optional; without it such a program has ended when its
	// first process has, and what it left in its group is killed, which on
	// Linux the log tells. Linux only.
	PIDFile string
}

var (
	_ child.Announcer = Command{}
	_ child.Maker     = Command{}
)

// Announces is true: the start is complete when the program executes, or has
// given the signs of Ready and Notify.
func (Command) Announces() bool { return true }

// Kills is true: a process can be killed, whatever it does.
func (Command) Kills() bool { return true }

// Serve runs the program once and returns when it, and what is left of its
// process group, is gone. It can be called again, and by several goroutines at
// once; each call is a process of its own.
//
// It returns nil after an end that Endings calls clean, and after a stop that
// was obeyed: an end with the code 0, by a signal of the ladder, or with 128
// and the number of one. Any other end is a [*child.StatusError], also the one
// by SIGKILL after [child.Killed] closed. A program that could not be started
// is a [*child.StartError] around a [*StartError].
//
// Without a run in ctx nobody says when the grace of a stop is over; it is
// [child.DefaultShutdown] then.
//
// While it runs it offers a [*Handle] by [child.Publish].
func (c Command) Serve(ctx context.Context) error {
	if err := c.Validate(); err != nil {
		return &child.StartError{Err: err}
	}
	return c.Make().Serve(ctx)
}

// Make makes the service of one run, so that a Command does not lie on the
// stack while its process runs. It is for a supervisor, which has asked
// Validate when the tree was made.
func (c Command) Make() child.Service { return &attempt{command: c} }

const (
	// goneWait bounds the wait for the rest of a group that has been killed.
	// Only what a kill does not reach takes longer: a process in an
	// uninterruptible call, or another user's.
	goneWait = 2 * time.Second
	// deliveryWait bounds the wait for whoever takes the output of a process
	// that has ended. The lines are delivered later too, by a goroutine that
	// ends with them.
	deliveryWait = 2 * time.Second
)

// String is the name of the program without its directory. Arguments and
// environment hold secrets, and are shown by nothing.
func (c Command) String() string {
	switch {
	case c.Path == "":
		return "process"
	case c.Shell:
		return "sh"
	}
	return printable(filepath.Base(c.Path))
}

// GoString is the name of the program, so that %#v shows no secret.
func (c Command) GoString() string { return "process.Command(" + c.String() + ")" }

// MarshalText is [Command.String], so that neither JSON nor a log shows a secret.
func (c Command) MarshalText() ([]byte, error) { return []byte(c.String()), nil }
