package process

import (
	"slices"
	"strconv"
	"syscall"

	"github.com/coppice-go/coppice/child"
)

// Endings says which ends of a process are no failure, and which settle whether
// it is restarted, whatever its restart type says. The zero value: the code 0
// is clean, and the restart type decides.
type Endings struct {
	// Clean ends are normal, beside the code 0. Optional.
	Clean []Status
	// Prevent ends are not followed by a restart. Optional.
	Prevent []Status
	// Force ends are always followed by a restart. Optional.
	Force []Status
}

// A Status is one way to end: an exit code, or a signal. The zero value is the
// code 0.
type Status struct {
	// Code is the exit code, from 0 to 255, if Signal is 0.
	Code int
	// Signal is what ended the process.
	Signal syscall.Signal
}

// String is the status in the words of the log.
func (s Status) String() string {
	if s.Signal != 0 {
		return "signal " + strconv.Itoa(int(s.Signal))
	}
	return "code " + strconv.Itoa(s.Code)
}

func statusOf(exit child.Exit) (s Status, ok bool) {
	switch exit.Kind {
	case child.Normal:
		return Status{}, true
	case child.ExitCode:
		return Status{Code: int(exit.Code)}, true
	case child.Signalled:
		return Status{Signal: exit.Signal}, true
	}
	return Status{}, false
}

// Decide settles whether a process is restarted after exit. A supervisor asks
// it where the child's spec has no Decide of its own.
func (c Command) Decide(exit child.Exit) child.Decision {
	s, ok := statusOf(exit)
	switch {
	case ok && slices.Contains(c.Endings.Prevent, s):
		return child.CompleteIt
	case ok && slices.Contains(c.Endings.Force, s):
		return child.RestartIt
	}
	return child.ByType
}

// Decides reports whether there is anything to decide.
func (c Command) Decides() bool { return len(c.Endings.Prevent)+len(c.Endings.Force) > 0 }

func (e Endings) validate(m *mistakes) {
	for _, list := range []struct {
		field  string
		status []Status
	}{{"Clean", e.Clean}, {"Prevent", e.Prevent}, {"Force", e.Force}} {
		for i, s := range list.status {
			m.add(s.Code < 0 || s.Code > 255, "Endings."+list.field+index(i)+".Code", s.Code, "must lie between 0 and 255")
			m.add(s.Signal < 0 || s.Signal > 64, "Endings."+list.field+index(i)+".Signal", int(s.Signal), "must be a signal's number")
			m.add(s.Code != 0 && s.Signal != 0, "Endings."+list.field+index(i), s.String(), "must be a code or a signal, not both")
		}
	}
	for i, s := range e.Force {
		m.add(slices.Contains(e.Prevent, s), "Endings.Force"+index(i), s.String(), "must not stand in Prevent too")
	}
}
