//go:build unix

package spawn

import (
	"fmt"
	"syscall"
)

// Attr says what to start. Numbers are those of the system.
type Attr struct {
	// Path is the file to execute.
	Path string
	// Args are its arguments, the name of the program first.
	Args []string
	// Env is its whole environment.
	Env []string
	// Dir is the directory it starts in; empty is ours.
	Dir string
	// Chroot is its root directory; empty is ours.
	Chroot string
	// Files are its descriptors: i is Files[i]; -1 is closed.
	Files []int
	// Session makes it lead a session of its own.
	Session bool
	// Group makes it lead a group of its own, in our session.
	Group bool
	// Credential is who it runs as; nil is us.
	Credential *Credential
	// Umask is its file mode mask; nil is ours.
	Umask *int
	// Nice is its niceness; nil is ours.
	Nice *int
	// IOPriority is its input and output priority; nil is ours.
	IOPriority *int
	// CPUs are those that it may run on; empty is ours.
	CPUs []int
	// Rlimits are set in it.
	Rlimits []Rlimit
	// OOMScore is its oom_score_adj; nil is ours.
	OOMScore *int
	// Capabilities are those that it keeps as ambient; nil leaves them alone.
	Capabilities []int
	// NoNewPrivs says that it can gain no privileges.
	NoNewPrivs bool
	// ParentDeath is the signal that it gets at our end; 0 is none.
	ParentDeath int
	// Cgroup is the descriptor of its cgroup's directory; 0 is ours.
	Cgroup int
	// ListenPID puts its number into an entry of Env, LISTEN_PID=0000000000.
	ListenPID bool
}

// Credential is who a process runs as.
type Credential struct {
	// Uid is the user.
	Uid uint32 //nolint:revive // as syscall has it
	// Gid is the group.
	Gid uint32
	// Groups are further groups.
	Groups []uint32
	// KeepGroups leaves our further groups.
	KeepGroups bool
}

// Rlimit is one limit.
type Rlimit struct {
	// Resource is its number.
	Resource int
	// Cur is the soft limit.
	Cur uint64
	// Max is the hard limit.
	Max uint64
}

// Error is why a start failed.
type Error struct {
	// Step is what failed: fork, directory, user, exec and so on.
	Step string
	// Errno is the system's answer.
	Errno syscall.Errno
}

// Error is the step and the answer.
func (e *Error) Error() string { return fmt.Sprintf("%s: %v", e.Step, e.Errno) }

// Unwrap is the errno.
func (e *Error) Unwrap() error { return e.Errno }
