package main

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/coppice-go/coppice/supervisor"
)

// printer prints lines with the time since the program began.
type printer struct {
	mu    sync.Mutex // protects out
	out   io.Writer
	began time.Time
}

func (p *printer) line(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintf(p.out, "%6.2fs  %s\n", time.Since(p.began).Seconds(), fmt.Sprintf(format, args...))
}

// event prints what happened: who, what, why, and what happens next.
func (p *printer) event(e supervisor.Event) {
	switch e.Kind {
	case supervisor.ChildStarted:
		p.line("%-16s runs (copy %d)", e.Path, e.Incarnation)
	case supervisor.ChildStopping:
		p.line("%-16s is told to stop: %s", e.Path, e.Reason)
	case supervisor.ChildKilled:
		p.line("%-16s has not obeyed, and is killed", e.Path)
	case supervisor.ChildExited:
		p.line("%-16s %s: %s", e.Path, e.Exit, e.Next)
	}
}
