//go:build unix

package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// ticking prints its name, and ends with a word when it is told to.
const ticking = `trap 'echo bye; exit 0' TERM; echo "up $PS"; while :; do sleep 0.05; done`

func TestAProgramThatRunsCanBeAsked(t *testing.T) {
	t.Parallel()
	needs(t, "sh")
	p := with(t, "Procfile", "web: "+ticking+"\nworker: "+ticking+"\n")
	r := p.start("start", "-m", "web=2", "-p", "7000", "--color", "always")
	r.until("worker.1 | \x1b[0mup worker.1")
	before := p.report("web.2")
	if before.State != "running" || before.PID == 0 || before.Port != 7001 || before.Since.IsZero() {
		t.Errorf("web.2 is %+v", before)
	}

	p.must("restart", "web.2")
	if after := p.report("web.2"); after.PID == before.PID || after.State != "running" || after.Restarts != 0 {
		t.Errorf("after a restart web.2 is %+v", after)
	}
	p.must("stop", "web")
	for _, name := range []string{"web.1", "web.2"} {
		if got := p.report(name); got.State != "down" || got.PID != 0 {
			t.Errorf("after a stop %s is %+v", name, got)
		}
	}
	p.must("restart", "web.1")
	if got := p.report("web.1"); got.State != "running" {
		t.Errorf("after a stop and a restart web.1 is %+v", got)
	}
	p.must("scale", "web=3", "worker=0")
	out := p.must("status")
	for name, want := range map[string]bool{"web.1": true, "web.2": true, "web.3": true, "worker.1": false} {
		if strings.Contains(out, name+" ") != want {
			t.Errorf("after it was scaled, %s in status is %v\n%s", name, !want, out)
		}
	}

	p.must("quit")
	r.ends(0)
}

func TestWhatCannotBeDoneIsSaid(t *testing.T) {
	t.Parallel()
	needs(t, "sh")
	p := with(t, "Procfile", "web: "+ticking+"\n")
	if out, status := p.ask("status"); status != 1 || !strings.Contains(out, "is not running") {
		t.Errorf("status %d and %q of one that is not running", status, out)
	}
	r := p.start("start")
	r.until("up web.1")
	tests := map[string]struct {
		args   []string
		status int
		says   string
	}{
		"a name that nobody knows":          {[]string{"restart", "nope"}, 1, `there is no "nope"; there are web`},
		"a process that nobody knows":       {[]string{"stop", "web.9"}, 1, `there is no "web.9"; there are web`},
		"a scale of what nobody knows":      {[]string{"scale", "nope=1"}, 1, `there is no "nope"`},
		"a scale that is none":              {[]string{"scale", "web=x"}, 1, "must have the form NAME=N"},
		"more than there are ports":         {[]string{"scale", "web=101"}, 1, "from 0 to 100"},
		"logs of what nobody knows":         {[]string{"logs", "nope"}, 1, `there is no "nope"`},
		"no name at all":                    {[]string{"restart"}, 2, "requires at least 1 arg"},
		"a second run of the same file":     {[]string{"start"}, 2, "it runs already"},
		"a command that nobody knows":       {[]string{"strat"}, 2, "start"},
		"a socket where there is no socket": {[]string{"start", "--socket", filepath.Join(p.runtime, "file")}, 2, "is no socket"},
	}
	write(t, filepath.Join(p.runtime, "file"), "precious")
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if out, status := p.ask(tt.args...); status != tt.status || !strings.Contains(out, tt.says) {
				t.Errorf("status %d, want %d, and %q in %q", status, tt.status, tt.says, out)
			}
		})
	}
	r.signal(os.Interrupt)
	r.ends(130)
}

func TestLogsAreFollowedThroughRestartsAndToTheEnd(t *testing.T) {
	t.Parallel()
	needs(t, "sh")
	p := with(t, "Procfile", "web: "+ticking+"\nother: "+ticking+"\n")
	r := p.start("start")
	r.until("up web.1")
	logs := p.start("logs", "-f", "web")
	logs.until("up web.1")
	p.must("restart", "web", "other")
	logs.until("bye")
	logs.until("up web.1")
	r.signal(syscall.SIGTERM)
	r.ends(143)
	logs.until("bye")
	logs.ends(0)
	if strings.Contains(logs.printed(), "other") {
		t.Errorf("the logs of web have lines of others:\n%s", logs.printed())
	}
}

func TestTheLastLinesAreThere(t *testing.T) {
	t.Parallel()
	needs(t, "sh")
	p := with(t, "Procfile", "a: for i in 1 2 3 4 5; do echo line $i; done; sleep 1000\n")
	r := p.start("start")
	r.until("line 5")
	if out := p.must("logs", "-n", "2", "--time=false", "a.1"); out != "a.1    | line 4\na.1    | line 5\n" {
		t.Errorf("the last two lines are %q", out)
	}
	r.signal(os.Interrupt)
	r.ends(130)
}

func TestAStaleSocketGivesWay(t *testing.T) {
	t.Parallel()
	needs(t, "sh")
	p := with(t, "Procfile", "a: "+ticking+"\n")
	r := p.start("start")
	r.until("up a.1")
	r.signal(syscall.SIGKILL)
	r.ends(-1)
	p.nothingLeft()
	if found := p.sockets(); len(found) != 1 {
		t.Fatalf("a killed one leaves %v", found)
	}
	r = p.start("start")
	r.until("up a.1")
	p.must("status")
	r.signal(os.Interrupt)
	r.ends(130)
}
