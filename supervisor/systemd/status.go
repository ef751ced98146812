package systemd

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/coppice-go/coppice/supervisor"
)

// unusual are the states that a status tells of, in this order.
var unusual = []supervisor.State{
	supervisor.Starting, supervisor.Restarting, supervisor.Stopping, supervisor.Stuck, supervisor.Exited, supervisor.Down,
}

// statusOf is one line on the tree. A supervisor counts through its children,
// and by itself only while it has none because it does not run.
func statusOf(root *supervisor.Status) string {
	counts, all := map[supervisor.State]int{}, 0
	for s := range root.All() {
		if s == root || s.Supervisor && (s.State == supervisor.Running || len(s.Children) > 0) {
			continue
		}
		counts[s.State]++
		all++
	}
	var b strings.Builder
	if root.State == supervisor.Starting || root.State == supervisor.Stopping {
		b.WriteString(root.State.String() + ": ")
	}
	running := counts[supervisor.Running]
	switch {
	case running < all:
		fmt.Fprintf(&b, "%d of %d children running", running, all)
	case all == 1:
		b.WriteString("1 child running")
	default:
		fmt.Fprintf(&b, "%d children running", all)
	}
	for _, state := range unusual {
		if n := counts[state]; n > 0 {
			fmt.Fprintf(&b, ", %d %v", n, state)
		}
	}
	return b.String()
}

// maxReason is how many bytes of an error are told.
const maxReason = 500

// reasonOf is one line on why the tree has ended.
func reasonOf(err error) string {
	if err == nil {
		return "stopped"
	}
	text := strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, strings.ToValidUTF8(err.Error(), "?"))
	s := strings.Join(strings.Fields(text), " ")
	if len(s) <= maxReason {
		return s
	}
	end := maxReason
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "..."
}
