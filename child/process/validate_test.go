//go:build unix

package process_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/child/process"
	"github.com/coppice-go/coppice/child/process/internal/spawn"
)

// mistaken are the fields that err says are wrong.
func mistaken(t *testing.T, err error) (all []string) {
	t.Helper()
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return nil
	}
	for _, one := range joined.Unwrap() {
		var mistake *process.FieldError
		if !errors.As(one, &mistake) || mistake.Reason == "" {
			t.Fatalf("it is no mistake: %v", one)
		}
		if strings.Contains(one.Error(), "%!") || strings.ContainsAny(one.Error(), "\x00\n") {
			t.Errorf("it says %q", one)
		}
		if mistake.Field != "Command.System" || spawn.Vfork { // there it is also what this build cannot do
			all = append(all, mistake.Field)
		}
	}
	return all
}

func TestEveryMistakeIsToldWithItsFieldAndNeverWithASecret(t *testing.T) {
	const secret = "hunter2"
	for want, change := range map[string]func(c *process.Command){
		"Path":                   func(c *process.Command) { c.Path = "" },
		"Path ":                  func(c *process.Command) { c.Path = "a\x00" },
		"Dir":                    func(c *process.Command) { c.Dir = "a\x00" },
		"Args[1]":                func(c *process.Command) { c.Args = []string{"a", secret + "\x00"} },
		"Env[0]":                 func(c *process.Command) { c.Env = []string{secret} },
		"Env[0] ":                func(c *process.Command) { c.Env = []string{"=" + secret} },
		"Env[1]":                 func(c *process.Command) { c.Env = []string{"A=", "B=" + secret + "\x00"} },
		"Stdin.From":             func(c *process.Command) { c.Stdin.From = 9 },
		"Stdout.To":              func(c *process.Command) { c.Stdout.To = 9 },
		"Stdout.To ":             func(c *process.Command) { c.Stdout = process.Output{To: process.Keep, Writer: new(lines)} },
		"Stderr.Raw":             func(c *process.Command) { c.Stderr.Raw = true },
		"Stderr.Rate":            func(c *process.Command) { c.Stderr.Rate = -1 },
		"Stdout.Rate":            func(c *process.Command) { c.Stdout = process.Output{Rate: 1, Raw: true, Writer: new(lines)} },
		"Sockets[0].File":        func(c *process.Command) { c.Sockets = []process.Socket{{Name: "a"}} },
		"Sockets[0].Name":        func(c *process.Command) { c.Sockets = []process.Socket{{Name: "a:b", File: os.Stdin}} },
		"Streams[0].Name":        func(c *process.Command) { c.Streams = []process.Stream{{}} },
		"Streams[1].Name":        func(c *process.Command) { c.Streams = []process.Stream{{Name: "a"}, {Name: "a"}} },
		"System.Umask":           func(c *process.Command) { c.System.Umask = process.Mask(0o1000) },
		"System.Nice":            func(c *process.Command) { c.System.Nice = 20 },
		"System.IO.Class":        func(c *process.Command) { c.System.IO.Class = 9 },
		"System.IO.Level":        func(c *process.Command) { c.System.IO.Level = 8 },
		"System.CPUs[0]":         func(c *process.Command) { c.System.CPUs = []int{-1} },
		"System.Limits[0].Name":  func(c *process.Command) { c.System.Limits = []process.Limit{{Name: "no"}} },
		"System.Limits[0].Hard":  func(c *process.Command) { c.System.Limits = []process.Limit{{Name: "core", Soft: 1}} },
		"System.OOMScore":        func(c *process.Command) { c.System.OOMScore = 1001 },
		"System.Capabilities[0]": func(c *process.Command) { c.System.Capabilities = []string{"no"} },
		"System.Chroot":          func(c *process.Command) { c.System.Chroot = "a\x00" },
		"Stop[0]":                func(c *process.Command) { c.Stop = process.Ladder{{}} },
		"Stop[0] ": func(c *process.Command) {
			c.Stop = process.Ladder{{Signal: 1, Text: "quit"}}
			c.Stdin.From = process.Piped
		},
		"Stop[0].Signal":          func(c *process.Command) { c.Stop = process.Ladder{{Signal: syscall.SIGKILL}} },
		"Abort[0].Text":           func(c *process.Command) { c.Abort = process.Ladder{{Text: secret}} },
		"Reload[0].Wait":          func(c *process.Command) { c.Reload = process.Ladder{{Signal: 1, Wait: -1}} },
		"Reload[0].To":            func(c *process.Command) { c.Reload = process.Ladder{{Signal: 1, To: 9}} },
		"Endings.Clean[0].Code":   func(c *process.Command) { c.Endings.Clean = []process.Status{{Code: 256}} },
		"Endings.Prevent[0]":      func(c *process.Command) { c.Endings.Prevent = []process.Status{{Code: 1, Signal: 1}} },
		"Endings.Force[0].Signal": func(c *process.Command) { c.Endings.Force = []process.Status{{Signal: 65}} },
		"Endings.Force[0]": func(c *process.Command) {
			c.Endings.Force, c.Endings.Prevent = []process.Status{{Code: 1}}, []process.Status{{Code: 1}}
		},
		"Quota.CPU":     func(c *process.Command) { c.Quota.CPU = math.NaN() },
		"Quota.Every":   func(c *process.Command) { c.Quota.Every = -1 },
		"Quota.Samples": func(c *process.Command) { c.Quota.Samples = -1 },
		"Stdout.To  ": func(c *process.Command) {
			c.Detach, c.Stderr.To = true, process.Discard
		},
		"Stderr.To": func(c *process.Command) {
			c.Detach, c.Stdout.To, c.Stderr.To = true, process.Inherit, process.Keep
		},
		"Leftovers": func(c *process.Command) { c.Leftovers = 9 },
		"Orphan":    func(c *process.Command) { c.Orphan = 9 },
	} {
		c := process.Command{Path: "sh"}
		change(&c)
		err := c.Validate()
		if got, want := mistaken(t, err), []string{"Command." + strings.TrimSpace(want)}; !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		if err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("it shows the secret: %v", err)
		}
	}
	for c, want := range map[*process.Command]string{
		{Path: "sh", Endings: process.Endings{Clean: []process.Status{{Code: 256}}}}: "process: Command.Endings.Clean[0].Code: 256: must lie between 0 and 255",
		{Path: "sh", Stderr: process.Output{Raw: true}}:                              "process: Command.Stderr.Raw: true: needs a Writer",
		{Path: "sh", Dir: "a\x00"}:                                                   `process: Command.Dir: "a\x00": must not contain a NUL byte`,
		{Path: "sh", Quota: process.Quota{Every: -time.Second}}:                      `process: Command.Quota.Every: "-1s": must not be negative`,
		{Path: "sh", Args: []string{"\x00"}}:                                         "process: Command.Args[0]: must not contain a NUL byte",
	} {
		if err := c.Validate(); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	all := process.Command{Dir: "\x00", Env: []string{"a", "b"}, Stdin: process.Input{From: 7}}
	if got := mistaken(t, all.Validate()); len(got) != 5 {
		t.Errorf("of five mistakes it tells %v", got)
	}
	if err := (process.Command{Path: "sh"}).Validate(); err != nil {
		t.Errorf("without a mistake: %v", err)
	}
}

func TestALadderMustFitIntoTheGrace(t *testing.T) {
	c := process.Command{Path: "sh", Stop: process.Ladder{{Signal: 1, Wait: 3 * time.Second}, {Signal: 2, Wait: 3 * time.Second}}}
	for grace, want := range map[time.Duration]bool{0: false, 5 * time.Second: false, 6 * time.Second: true, time.Hour: true, child.Infinity: true} {
		err := c.ValidateSpec(child.Spec{Name: "c", Shutdown: grace})
		if fits := err == nil; fits != want {
			t.Errorf("into %v: %v", grace, err)
		}
	}
}

func TestACommandShowsTheNameOfItsProgramAndNothingElse(t *testing.T) {
	const secret = "hunter2"
	c := process.Command{
		Path: "/opt/" + secret + "/cache", Args: []string{secret}, Env: []string{"PASSWORD=" + secret}, Dir: secret,
		Stdout: process.Output{Writer: &lines{}}, Stop: process.Ladder{{Text: secret}}, Stdin: process.Input{From: process.Piped},
	}
	_, _ = c.Stdout.Writer.Write([]byte(secret))
	var log lines
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "command", c)
	asJSON, err := json.Marshal(map[string]any{"command": c, "output": c.Stdout})
	if err != nil {
		t.Error(err)
	}
	spec := child.Spec{Name: "c", Run: c}
	specJSON, err := json.Marshal(spec)
	if err != nil {
		t.Error(err)
	}
	for _, shown := range []string{
		c.String(), fmt.Sprintf("%v %+v %#v %s", c, c, c, c), fmt.Sprintf("%v %+v %#v", c.Stdout, c.Stdout, c.Stdout),
		log.String(), string(asJSON), spec.String(), fmt.Sprintf("%#v %+v", spec, spec), string(specJSON),
	} {
		if strings.Contains(shown, secret) {
			t.Errorf("it shows %s", shown)
		}
	}
	for name, c := range map[string]process.Command{
		"cache": c, "sh": {Path: secret, Shell: true}, "process": {}, `a\nb`: {Path: "a\nb"},
	} {
		if c.String() != name {
			t.Errorf("got %q, want %q", c, name)
		}
	}
}
