//go:build unix

package process_test

import (
	"os"
	"strings"
	"testing"

	"github.com/coppice-go/coppice/child/process"
)

// environment is what a program started by c sees.
func environment(t *testing.T, c process.Command) map[string]string {
	t.Helper()
	needTools(t, "env")
	var out lines
	c.Path, c.Stdout = "/usr/bin/env", process.Output{Writer: &out}
	if err := c.Serve(t.Context()); err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for line := range strings.Lines(out.String()) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		if before, twice := all[key]; twice {
			t.Errorf("%s is there twice, as %q and %q", key, before, value)
		}
		all[key] = value
	}
	return all
}

func TestWhatConcernsUsAloneIsNotInherited(t *testing.T) {
	alone := []string{
		"NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC", "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES",
	}
	for _, key := range alone {
		t.Setenv(key, "ours")
	}
	t.Setenv("PROCESS_TEST_OTHER", "everybody's")
	got := environment(t, process.Command{})
	for _, key := range alone {
		if value, ok := got[key]; ok {
			t.Errorf("it sees %s=%s", key, value)
		}
	}
	if got["PROCESS_TEST_OTHER"] != "everybody's" {
		t.Error("it sees nothing else either")
	}
	got = environment(t, process.Command{Env: []string{"NOTIFY_SOCKET=its own"}})
	if got["NOTIFY_SOCKET"] != "its own" {
		t.Errorf("what it was given is %q", got["NOTIFY_SOCKET"])
	}
}

func TestTheLaterOfTwoEntriesCounts(t *testing.T) {
	t.Setenv("PROCESS_TEST_A", "ours")
	got := environment(t, process.Command{Env: []string{"PROCESS_TEST_A=1", "PROCESS_TEST_B=1", "PROCESS_TEST_A=2"}})
	if got["PROCESS_TEST_A"] != "2" || got["PROCESS_TEST_B"] != "1" {
		t.Errorf("got %q and %q", got["PROCESS_TEST_A"], got["PROCESS_TEST_B"])
	}
}

func TestACleanEnvironmentIsThatOfTheCommand(t *testing.T) {
	got := environment(t, process.Command{CleanEnv: true, Env: []string{"A=1"}})
	if len(got) != 1 || got["A"] != "1" {
		t.Errorf("got %v", got)
	}
}

func TestAProgramIsLookedUpInItsOwnPath(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/process-test-program", []byte("#!/bin/sh\necho found\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		path  string
		found bool
	}{
		"in a directory of it":             {"/usr/bin:/bin:" + dir, true},
		"not in one that is not absolute":  {"/usr/bin:/bin:.:", false},
		"not in one that is only in ours":  {"/usr/bin:/bin", false},
		"behind one that is not there":     {"/no/such/dir:" + dir + ":/bin", true},
		"behind a directory of that name":  {t.TempDir() + ":" + dir + ":/bin", true},
		"not in what is no list but a dot": {".", false},
	} {
		t.Run(name, func(t *testing.T) {
			var out lines
			c := process.Command{Path: "process-test-program", Env: []string{"PATH=" + tt.path}, Stdout: process.Output{Writer: &out}, Dir: dir}
			err := c.Serve(t.Context())
			if found := err == nil && out.String() == "found\n"; found != tt.found {
				t.Errorf("got %v and %q", err, out.String())
			}
		})
	}
}
