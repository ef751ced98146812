package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/mattn/go-isatty"
)

// system is whom our own lines come from.
const system = "system"

// palette are foreman's colours, the plain ones before the bright ones. Red and
// black are left out: the one looks like an error, the other like nothing.
var palette = []string{"36", "33", "32", "35", "34", "96", "93", "92", "95", "94"}

// A printer writes lines with the time and a prefix, which has the colour of
// its process and is as wide as the longest. Any number of goroutines use it.
type printer struct {
	mu      sync.Mutex
	to      io.Writer
	colour  bool
	stamp   bool
	width   int
	colours map[string]string
	failed  func(error)
	broken  bool
}

// newPrinter makes a printer. It calls failed once if a write fails, as it does
// when a pipe has nobody who reads any more.
func newPrinter(to io.Writer, colour, stamp bool, failed func(error)) *printer {
	return &printer{to: to, colour: colour, stamp: stamp, width: len(system), colours: map[string]string{}, failed: failed}
}

// know gives a process its colour and makes room for its name.
func (p *printer) know(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.learn(name)
}

func (p *printer) learn(name string) {
	p.width = max(p.width, len(name))
	if _, known := p.colours[name]; !known && name != system {
		p.colours[name] = palette[len(p.colours)%len(palette)]
	}
}

// print writes l in one call.
func (p *printer) print(l line) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.broken {
		return
	}
	p.learn(l.Name)
	if _, err := io.WriteString(p.to, p.format(l)); err != nil {
		p.broken = true
		p.failed(err)
	}
}

func (p *printer) format(l line) string {
	prefix := fmt.Sprintf("%-*s | ", p.width, l.Name)
	if p.stamp {
		prefix = l.Time.Format("15:04:05 ") + prefix
	}
	if !p.colour {
		return prefix + l.Text + "\n"
	}
	code := p.colours[l.Name]
	if l.Name == system {
		code = "1"
	}
	// What a process has left switched on ends with its line.
	end := "\n"
	if strings.ContainsRune(l.Text, '\x1b') {
		end = "\x1b[0m\n"
	}
	return "\x1b[" + code + "m" + prefix + "\x1b[0m" + l.Text + end
}

// wantsColour says whether to use colours: as the flag says, or, for auto, if
// the file is a terminal and NO_COLOR (no-color.org) is not set.
func wantsColour(flag string, file *os.File) (bool, error) {
	switch flag {
	case "always":
		return true, nil
	case "never":
		return false, nil
	case "auto":
		return os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && isatty.IsTerminal(file.Fd()), nil
	}
	return false, fmt.Errorf("--color %q: must be auto, always or never", flag)
}

// A writer is where one process prints: to the journal and the terminal. The
// process package gives it each line in one call.
type writer struct {
	name    string
	journal *journal
	printer *printer
}

// Write takes a line, or a piece of a very long one, which becomes a line.
func (w *writer) Write(b []byte) (int, error) {
	l := line{Time: time.Now(), Name: w.name, Text: string(bytes.TrimRight(b, "\r\n"))}
	w.journal.add(l)
	w.printer.print(l)
	return len(b), nil
}

func (w *writer) say(format string, args ...any) {
	_, _ = fmt.Fprintf(w, format, args...)
}
