package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/coppice-go/coppice/supervisor"
)

// printer prints lines with the time since it was made.
type printer struct {
	mu    sync.Mutex // protects out
	out   io.Writer
	began time.Time
}

func newPrinter(out io.Writer) *printer { return &printer{out: out, began: time.Now()} }

func (p *printer) line(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintf(p.out, "%6.2fs  %s\n", time.Since(p.began).Seconds(), fmt.Sprintf(format, args...))
}

// event prints what happened: who, what, why, and what happens next.
func (p *printer) event(e supervisor.Event) {
	switch e.Kind {
	case supervisor.ChildStarted:
		if e.Incarnation > 1 {
			p.line("%-18s started again (run %d)", e.Path, e.Incarnation)
		} else {
			p.line("%-18s started", e.Path)
		}
	case supervisor.ChildExited:
		p.line("%-18s %s%s", e.Path, e.Exit, next(e))
	case supervisor.ChildKilled, supervisor.ChildStuck, supervisor.SupervisorGaveUp, supervisor.Missed:
		p.line("%s", e)
	}
}

func next(e supervisor.Event) string {
	switch {
	case e.Next == supervisor.Restarts && e.Wait > 0:
		return fmt.Sprintf(" -> again in %v", e.Wait)
	case e.Next == supervisor.Restarts:
		return " -> again at once"
	case e.Next == supervisor.Follows:
		return " (" + cmp.Or(e.Reason.String(), "while others are stopped") + ")"
	case e.Next == supervisor.Goes:
		return " -> gone"
	}
	return " -> stays down"
}

// tree draws the tree.
func (p *printer) tree(snap supervisor.Snapshot) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintf(p.out, "\n%-24s %-11s %8s %9s  %s\n", "", "state", "restarts", "since", "last exit")
	p.draw(&snap.Root, "", "", snap.Time)
	fmt.Fprintln(p.out)
}

// draw draws a place and what is below it. The lead stands before the lines of
// those below.
func (p *printer) draw(s *supervisor.Status, branch, lead string, now time.Time) {
	exit := ""
	if len(s.Deaths) > 0 {
		exit = s.Last().Exit.String()
	}
	if s.State == supervisor.Restarting {
		exit += fmt.Sprintf(" (next try in %v)", s.NextAttempt.Sub(now).Round(100*time.Millisecond))
	}
	name := branch + s.Name
	pad := strings.Repeat(" ", max(0, 24-len([]rune(name))))
	fmt.Fprintf(p.out, "%s%s %-11s %8d %9v  %s\n", name, pad, s.State, s.Restarts,
		now.Sub(s.Since).Round(100*time.Millisecond), exit)
	for i := range s.Children {
		if i == len(s.Children)-1 {
			p.draw(&s.Children[i], lead+"└─ ", lead+"   ", now)
		} else {
			p.draw(&s.Children[i], lead+"├─ ", lead+"│  ", now)
		}
	}
}
