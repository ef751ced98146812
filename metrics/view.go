package metrics

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/supervisor"
)

// row is what of a place changes and is shown in a list, as JSON.
type row struct {
	Path        string     `json:"path"`
	Kind        string     `json:"kind"` // supervisor or worker
	State       string     `json:"state"`
	Held        bool       `json:"held,omitempty"`
	Since       time.Time  `json:"since"`
	Incarnation uint64     `json:"incarnation"`
	Restarts    uint64     `json:"restarts"`
	Strategy    string     `json:"strategy,omitempty"`
	Window      int        `json:"window,omitempty"`
	Limit       int        `json:"limit,omitempty"` // -1 is none
	NextAttempt *time.Time `json:"next_attempt,omitempty"`
	Wait        float64    `json:"wait_seconds,omitempty"`
	PID         int        `json:"pid,omitempty"`
	Says        string     `json:"says,omitempty"` // what the process says of itself
	Last        *death     `json:"last_exit,omitempty"`
	CPU         float64    `json:"cpu,omitempty"` // processors
	Memory      uint64     `json:"memory,omitempty"`
}

// death is how a run ended, as JSON.
type death struct {
	At          time.Time `json:"at"`
	Incarnation uint64    `json:"incarnation"`
	Lived       float64   `json:"lived_seconds"`
	Cause       string    `json:"cause"`
	Text        string    `json:"text"`
	Stack       string    `json:"stack,omitempty"`
	Output      []string  `json:"output,omitempty"`
}

// rowOf shows s without what is below it.
func rowOf(s *supervisor.Status) row {
	r := row{
		Path: s.Path, Kind: "worker", State: s.State.String(), Held: s.Held, Since: s.Since,
		Incarnation: s.Incarnation, Restarts: s.Restarts, Window: s.WindowRestarts,
		Wait: s.Wait.Seconds(), PID: s.Facts.PID, Says: clean(s.Facts.Status),
	}
	if s.Supervisor {
		r.Kind, r.Strategy = "supervisor", s.Strategy.String()
		if !s.Intensity.Each {
			r.Limit = s.Intensity.Restarts
		}
	}
	if !s.NextAttempt.IsZero() {
		r.NextAttempt = &s.NextAttempt
	}
	if n := len(s.Deaths); n > 0 {
		d := deathOf(&s.Deaths[n-1])
		r.Last = &d
	}
	return r
}

// deathOf shows how a run ended, in one line.
func deathOf(d *supervisor.Death) death {
	return death{
		At: d.At, Incarnation: d.Incarnation, Lived: d.Lived.Seconds(),
		Cause: d.Exit.Cause().String(), Text: clean(d.Exit.String()),
	}
}

// details adds what is too long for a list: the stack of a panic, the last
// lines of a process.
func (d *death) details(exit child.Exit) {
	var panicked *child.PanicError
	var status *child.StatusError
	if p, ok := exit.Err.(*child.PanicError); ok { //nolint:errorlint // the user's errors are not looked into
		panicked = p
	}
	if s, ok := exit.Err.(*child.StatusError); ok { //nolint:errorlint // as above
		status = s
	}
	if panicked != nil {
		d.Stack = lines(panicked.Stack())
	}
	if status != nil && status.Output != "" {
		d.Output = strings.Split(lines(status.Output), "\n")
	}
}

// longest is how much of a text is shown.
const longest = 4 << 10

// clean is a text that others have made: short, in one line, and without
// anything that a screen would not show.
func clean(s string) string { return keep(s, longest, false) }

// lines is a clean text of several lines.
func lines(s string) string { return keep(s, 4*longest, true) }

func keep(s string, most int, newlines bool) string {
	if len(s) > most {
		s = s[:most] + "..."
	}
	out := make([]rune, 0, len(s))
	for _, c := range s {
		switch {
		case newlines && (c == '\n' || c == '\t'):
		case c == utf8.RuneError || !unicode.IsGraphic(c) || unicode.Is(unicode.Zs, c):
			c = ' '
		}
		out = append(out, c)
	}
	return string(out)
}
