package main

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"
)

func TestLinesHaveAlignedNamesAndColours(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	const red = "\x1b[31mred"
	tests := map[string]struct {
		colour, stamp bool
		line          line
		want          string
	}{
		"plain":                           {false, false, line{at, "web.1", "hello", 0}, "web.1     | hello\n"},
		"with the time":                   {false, true, line{at, "web.1", "hello", 0}, "03:04:05 web.1     | hello\n"},
		"with a colour":                   {true, false, line{at, "web.1", "hello", 0}, "\x1b[36mweb.1     | \x1b[0mhello\n"},
		"another one has another":         {true, false, line{at, "worker.10", "hello", 0}, "\x1b[33mworker.10 | \x1b[0mhello\n"},
		"our own":                         {true, true, line{at, system, "hello", 0}, "\x1b[1m03:04:05 system    | \x1b[0mhello\n"},
		"a colour ends with its line":     {true, false, line{at, "web.1", red, 0}, "\x1b[36mweb.1     | \x1b[0m" + red + "\x1b[0m\n"},
		"a colour of theirs, where is no": {false, false, line{at, "web.1", red, 0}, "web.1     | " + red + "\n"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out strings.Builder
			p := newPrinter(&out, tt.colour, tt.stamp, nil)
			p.know("web.1")
			p.know("worker.10")
			p.print(tt.line)
			if out.String() != tt.want {
				t.Errorf("it prints %q, want %q", out.String(), tt.want)
			}
		})
	}
}

type broken struct{ calls int }

func (b *broken) Write([]byte) (int, error) { b.calls++; return 0, errors.New("broken") }

func TestAPrinterThatFailsSaysSoOnce(t *testing.T) {
	t.Parallel()
	var told int
	to := &broken{}
	p := newPrinter(to, false, false, func(error) { told++ })
	for range 3 {
		p.print(line{Name: "a", Text: "b"})
	}
	if told != 1 || to.calls != 1 {
		t.Errorf("it said so %d times, and wrote %d times", told, to.calls)
	}
}

func TestColoursAreForTerminals(t *testing.T) {
	file, err := os.Create(t.TempDir() + "/file")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	for flag, want := range map[string]bool{"always": true, "never": false, "auto": false} {
		if got, err := wantsColour(flag, file); err != nil || got != want {
			t.Errorf("%s: %v, %v", flag, got, err)
		}
	}
	if _, err := wantsColour("sometimes", file); err == nil {
		t.Error("sometimes is no mistake")
	}
}
