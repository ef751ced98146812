//go:build unix

package main

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/coppice-go/coppice/child/process"
	"github.com/coppice-go/coppice/supervisor"
)

// printer prints lines with the time since it was made, and measures how long
// each worker hung before that was found.
type printer struct {
	out   io.Writer
	began time.Time
	back  int // how many have been started again

	mu    sync.Mutex // protects out and what follows
	since map[string]time.Time
	found map[string]time.Duration
}

func newPrinter(out io.Writer) *printer {
	return &printer{out: out, began: time.Now(), since: map[string]time.Time{}, found: map[string]time.Duration{}}
}

func (p *printer) line(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintf(p.out, "%6.2fs  %s\n", time.Since(p.began).Seconds(), fmt.Sprintf(format, args...))
}

// hangs notes that a worker hangs from now on, in its first run.
func (p *printer) hangs(path string) {
	p.mu.Lock()
	_, again := p.since[path]
	if !again {
		p.since[path] = time.Now()
	}
	p.mu.Unlock()
	if !again {
		p.line("%-14s hangs", path)
	}
}

// hears is for the output of a program, which tells by a line that it hangs.
func (p *printer) hears(name string) process.Output {
	return process.Output{Writer: ear{p, "hung/" + name}}
}

type ear struct {
	printer *printer
	path    string
}

func (e ear) Write(line []byte) (int, error) {
	if string(line) == "hangs\n" {
		e.printer.hangs(e.path)
	}
	return len(line), nil
}

// event prints what the supervisor does about it.
func (p *printer) event(e supervisor.Event) {
	switch e.Kind {
	case supervisor.ChildStopping:
		p.finds(e)
		p.line("%-14s found: %s; told to stop", e.Path, e.Reason)
	case supervisor.ChildKilled:
		p.line("%-14s killed, as its grace is over", e.Path)
	case supervisor.ChildStuck:
		p.line("%-14s still runs, as a goroutine cannot be killed", e.Path)
	case supervisor.ChildExited:
		p.finds(e)
		p.line("%-14s %s", e.Path, e.Exit)
	case supervisor.ChildStarted:
		if e.Incarnation == 2 {
			p.back++
			p.line("%-14s started again", e.Path)
		}
	}
}

// finds measures how long it took.
func (p *printer) finds(e supervisor.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, known := p.found[e.Path]; !known && e.Incarnation == 1 {
		p.found[e.Path] = e.Time.Sub(p.since[e.Path])
	}
}

// logger has the log of the tree printed between the other lines.
func (p *printer) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(paper{p}, &slog.HandlerOptions{
		Level: slog.LevelWarn,
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey || a.Key == "stack" { // the line has its time, and stacks are long
				return slog.Attr{}
			}
			return a
		},
	}))
}

type paper struct{ printer *printer }

func (w paper) Write(line []byte) (int, error) {
	w.printer.line("  log: %s", strings.TrimSpace(string(line)))
	return len(line), nil
}

// late is what a busy machine may add to a bound.
const late = 3 * time.Second

// table shows who was found after how long. One that took too long is an error.
func (p *printer) table(all []worker) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var err error
	fmt.Fprintf(p.out, "\n%-10s %-42s %12s %8s\n", "", "", "found after", "bound")
	for _, w := range all {
		found := p.found["hung/"+w.Name]
		fmt.Fprintf(p.out, "%-10s %-42s %12v %8v\n", w.Name, w.what, found.Round(10*time.Millisecond), w.bound.Round(10*time.Millisecond))
		if found <= 0 || found > w.bound+late {
			err = fmt.Errorf("%s was found after %v, and is to be within %v", w.Name, found, w.bound)
		}
	}
	return err
}
