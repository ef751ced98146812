package process

import (
	"context"
	"syscall"
	"time"
)

// A Ladder is how a process is asked to end, or to do something else: rung by
// rung, until it has ended. Above the last rung there is always the kill, when
// the grace of the stop is over; [child.BrutalKill] leaves the ladder out.
type Ladder []Rung

// A Rung is one request. Exactly one of Signal, Func and Text is set.
type Rung struct {
	// Signal is sent. What cannot hear it because it was stopped is woken.
	Signal syscall.Signal
	// Func is called, in a goroutine of its own, with a context that ends with
	// the rung of a stop, and after [HookTime] in any case. An error is logged.
	Func func(ctx context.Context, h *Handle) error
	// Text is written to the standard input, which must be [Piped].
	Text string
	// To says who is asked by a Signal. Optional; zero is the process group.
	To Scope
	// Wait is how long the process has to end before the next rung. Optional;
	// zero, on the last rung, is until the grace is over, and on any other
	// none.
	Wait time.Duration
}

// Scope says who is meant of those that a process has brought about. The zero
// value is [Group].
type Scope uint8

const (
	// Group: its process group.
	Group Scope = iota
	// Leader: the process alone.
	Leader
	// Tree: it and all its descendants, as far as they can be found.
	Tree
	// Cgroup: all in its control group. Without one it is the Tree.
	Cgroup
)

var scopeWords = words[Scope]{"Scope", []string{Group: "group", Leader: "leader", Tree: "tree", Cgroup: "cgroup"}}

// String is the constant's name in lower case.
func (s Scope) String() string { return scopeWords.string(s) }

// MarshalText is [Scope.String]; an unknown value is an error.
func (s Scope) MarshalText() ([]byte, error) { return scopeWords.marshal(s) }

// UnmarshalText is the reverse of [Scope.MarshalText].
func (s *Scope) UnmarshalText(text []byte) error { return scopeWords.unmarshal(text, s) }

// Terminate is the ladder of a Command that has none: SIGTERM to the group.
func Terminate() Ladder { return Ladder{{Signal: syscall.SIGTERM}} }

// Interrupt is the ladder of Launchpad's process monitor: SIGINT, and the kill
// five seconds later.
func Interrupt() Ladder {
	return Ladder{{Signal: syscall.SIGINT, Wait: 5 * time.Second}}
}

// signals are those that the ladder sends: an end by one of them has obeyed.
func (l Ladder) signals() (sent []syscall.Signal) {
	for _, r := range l {
		if r.Signal != 0 {
			sent = append(sent, r.Signal)
		}
	}
	return sent
}

// least is how long the ladder takes if nothing answers.
func (l Ladder) least() (sum time.Duration) {
	for _, r := range l {
		sum += r.Wait
	}
	return sum
}

func (l Ladder) validate(m *mistakes, field string, stdin Input) {
	for i, r := range l {
		at := field + index(i)
		set := 0
		for _, is := range []bool{r.Signal != 0, r.Func != nil, r.Text != ""} {
			if is {
				set++
			}
		}
		m.add(set != 1, at, nil, "must have exactly one of Signal, Func and Text")
		m.add(r.Signal < 0 || r.Signal > 64, at+".Signal", int(r.Signal), "must be a signal's number")
		m.add(r.Signal == syscall.SIGKILL, at+".Signal", r.Signal.String(), "must leave the kill to the end of the grace")
		m.add(r.Text != "" && stdin.From != Piped, at+".Text", nil, "needs a Stdin from Piped")
		m.add(int(r.To) >= len(scopeWords.list), at+".To", uint8(r.To), "must be Group, Leader, Tree or Cgroup")
		m.add(r.Wait < 0, at+".Wait", r.Wait, "must not be negative")
	}
}
