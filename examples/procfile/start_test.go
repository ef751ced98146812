//go:build unix

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// stubborn is a process that does not end when it is told to.
const stubborn = "trap 'echo told' TERM; echo up; while :; do sleep 0.05; done"

func TestAProjectOfFourLanguagesRunsIsScaledAndLeavesNothing(t *testing.T) {
	t.Parallel()
	needs(t, "go", "python3", "perl", "sh")
	p := at(t, filepath.Join("testdata", "project"))
	port := freePort(t) % 60000
	r := p.start("start", "-p", strconv.Itoa(port), "--grace", "30s")
	r.until("web.1    | listening at")
	answer, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/", port))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(answer.Body)
	if err := answer.Body.Close(); err != nil {
		t.Error(err)
	}
	if err != nil || string(text) != "hello from .env\n" {
		t.Errorf("web answers %q, %v", text, err)
	}
	p.must("scale", "worker=2")
	r.until(fmt.Sprintf("worker.2 | working as worker.2 on port %d", port+101))
	if err := syscall.Kill(p.report("worker.2").PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	r.until("worker.2 ended: signal: killed; starts again")
	r.until("worker.2 | working as")
	if got := p.report("worker.2"); got.Restarts != 1 || got.Last != "signal: killed" {
		t.Errorf("worker.2 is %+v", got)
	}
	p.must("scale", "clock=0", "worker=1")
	if out := p.must("status"); strings.Contains(out, "clock") || strings.Contains(out, "worker.2") {
		t.Errorf("after it was scaled down there is\n%s", out)
	}
	r.signal(os.Interrupt)
	r.ends(130)
	for _, last := range []string{"web.1    | closed", "worker.1 | finished what it was doing", "mailer.1 | no more mail"} {
		if !strings.Contains(r.printed(), last) {
			t.Errorf("%q is missing in\n%s", last, r.printed())
		}
	}
	if left := p.marked(); left != "" {
		t.Errorf("it left %s", left)
	}
	if found := p.sockets(); len(found) > 0 {
		t.Errorf("it left %v", found)
	}
}

// report is one process as status tells of it.
func (p *project) report(name string) report {
	p.t.Helper()
	var reports []report
	if err := json.Unmarshal([]byte(p.must("status", "--json", name)), &reports); err != nil || len(reports) != 1 {
		p.t.Fatalf("status of %s: %v, %v", name, reports, err)
	}
	return reports[0]
}

func TestTheExitStatusIsThatOfWhatHappened(t *testing.T) {
	t.Parallel()
	needs(t, "sh")
	tests := map[string]struct {
		procfile string
		args     []string
		want     int
		says     string
	}{
		"without restarts the first failure ends all":     {"a: sleep 1000\nb: exit 3\n", []string{"--restart", "no"}, 3, "a.1 "},
		"without restarts the first success ends all":     {"a: sleep 1000\nb: exit 0\n", []string{"--restart", "no"}, 0, "a.1 "},
		"a signal counts as a shell counts it":            {"a: sleep 1000\nb: kill -9 $$\n", []string{"--restart", "no"}, 137, ""},
		"when all have succeeded so have we":              {"a: exit 0\nb: echo done\n", nil, 0, "b.1    | done"},
		"what fails too often ends all":                   {"a: sleep 1000\nb: exit 4\n", []string{"--limit", "2/1m", "--delay", "0"}, 4, "starts again"},
		"a program that is missing is what a shell says":  {"a: /nonexistent/program\n", []string{"--restart", "no"}, 127, ""},
		"a name that nobody knows is a mistake":           {"a: exit 0\n", []string{"b"}, 2, `there is no "b"; there are a`},
		"a mistake in the file is a mistake":              {"a: exit 0\nb\n", nil, 2, "Procfile: line 2: must have the form NAME: COMMAND"},
		"a policy that nobody knows is a mistake":         {"a: exit 0\n", []string{"--restart", "maybe"}, 2, "no, on-failure or always"},
		"a flag that nobody knows is a mistake":           {"a: exit 0\n", []string{"--nope"}, 2, "unknown flag: --nope"},
		"a port beyond the last is a mistake":             {"a: exit 0\n", []string{"-p", "65500", "-m", "a=50"}, 2, "the port of a.37: must be from 1 to 65535"},
		"only what is named runs":                         {"a: exit 1\nb: echo done\n", []string{"--only", "b"}, 0, "b.1    | done"},
		"of what is scaled to nothing there is nothing":   {"a: exit 1\nb: echo done\n", []string{"-m", "a=0", "--restart", "no"}, 0, "done"},
		"a limit takes the form of an intensity":          {"a: exit 0\n", []string{"--limit", "many"}, 2, "limit"},
		"without an environment file that is asked for":   {"a: exit 0\n", []string{"-e", "/nonexistent/env"}, 2, "/nonexistent/env"},
		"what a process is told to end with ends the run": {"a: sleep 0.1; kill -TERM $PPID; sleep 1000\n", nil, 143, "terminated"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, status := with(t, "Procfile", tt.procfile).ask(append([]string{"start"}, tt.args...)...)
			if status != tt.want || !strings.Contains(out, tt.says) {
				t.Errorf("status %d, want %d, and %q in\n%s", status, tt.want, tt.says, out)
			}
		})
	}
}

func TestTheSecondInterruptKills(t *testing.T) {
	t.Parallel()
	needs(t, "sh")
	p := with(t, "Procfile", "a: "+stubborn+"\n")
	r := p.start("start", "--grace", "1h")
	r.until("a.1    | up")
	r.signal(os.Interrupt)
	r.until("a.1    | told")
	r.signal(os.Interrupt)
	r.ends(130)
}

func TestWhoDoesNotEndInTimeIsKilled(t *testing.T) {
	t.Parallel()
	needs(t, "sh")
	r := with(t, "Procfile", "a: "+stubborn+"\n").start("start", "--grace", "200ms")
	r.until("a.1    | up")
	r.signal(syscall.SIGTERM)
	r.until("a.1 has not ended in time and is killed")
	r.ends(143)
}

func TestWhatAShellRunsGetsItsTimeToEnd(t *testing.T) {
	t.Parallel()
	needs(t, "sh")
	// The outer shell ends at once; the inner one has something to do before.
	inner := `sh -c 'trap "sleep 0.3; echo finished; exit" TERM; echo up; while :; do sleep 0.05; done'; true`
	r := with(t, "Procfile", "a: "+inner+"\n").start("start", "--grace", "30s")
	r.until("a.1    | up")
	r.signal(os.Interrupt)
	r.until("a.1    | finished")
	r.ends(130)
}

func TestAReaderThatGoesEndsTheRun(t *testing.T) {
	t.Parallel()
	needs(t, "sh")
	p := with(t, "Procfile", "a: while :; do echo line; sleep 0.05; done\n")
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := p.command("start")
	cmd.Stdout = writer
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_, err = reader.Read(make([]byte, 1))
	_ = reader.Close()
	_ = writer.Close()
	if err != nil {
		t.Error(err)
	}
	r := &run{Cmd: cmd, t: t}
	r.ends(1)
}

func TestAReaderThatDoesNotReadDoesNotHoldUpTheEnd(t *testing.T) {
	t.Parallel()
	needs(t, "sh")
	p := with(t, "Procfile", "a: while :; do echo 0123456789012345678901234567890123456789; done\nb: echo up; sleep 1000\n")
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reader.Close(); _ = writer.Close() }()
	cmd := p.command("start", "--grace", "1s")
	cmd.Stdout = writer
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	r := &run{Cmd: cmd, t: t}
	p.waitFull(r)
	r.signal(os.Interrupt)
	r.ends(130)
}

// waitFull waits until the pipe of a program that nobody reads is full: until
// the journal, which is written before, does not grow any more.
func (p *project) waitFull(r *run) {
	p.t.Helper()
	for before, same := "", 0; same < 3; {
		out, status := p.ask("logs", "-n", "1", "a")
		if status == 0 && out != "" && out == before {
			same++
		} else {
			same = 0
		}
		before = out
		if r.Process.Signal(syscall.Signal(0)) != nil {
			p.t.Fatal("it has ended")
		}
	}
}

func TestTheEnvironmentOfAProcess(t *testing.T) {
	t.Parallel()
	needs(t, "sh")
	show := `echo "$PS $PORT $WHO $WHERE"; pwd`
	p := with(t, "Procfile", "a: "+show+"\nb: "+show+"\n")
	write(t, filepath.Join(p.dir, ".env"), "WHO='the file'\nWHERE=\"at ${WHO}\"\nPORT=7000\n")
	other := filepath.Join(p.dir, "other.env")
	write(t, other, "WHO=another\n")
	dir, err := filepath.EvalSymlinks(p.dir)
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct{ args, want []string }{
		"it is that of the .env file":         {nil, []string{"a.1 7000 the file at the file", "b.1 7100 the file at the file", dir}},
		"a flag comes before the file":        {[]string{"-p", "8000"}, []string{"a.1 8000 the", "b.1 8100 the"}},
		"a number of a kind is the next port": {[]string{"-m", "b=2"}, []string{"b.1 7100", "b.2 7101"}},
		"another file takes its place":        {[]string{"-e", other, "-p", "1000"}, []string{"a.1 1000 another \n"}},
		"what is left out keeps its ports":    {[]string{"--only", "b"}, []string{"b.1 7100"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			own := at(t, p.dir)
			out := own.must(append([]string{"start", "--time=false"}, tt.args...)...)
			for _, want := range tt.want {
				if !strings.Contains(out, want) {
					t.Errorf("%q is missing in\n%s", want, out)
				}
			}
		})
	}
}

func TestDefinitionsRunAsTheySay(t *testing.T) {
	t.Parallel()
	needs(t, "sh")
	p := with(t, "p.yaml", `
processes:
  - name: a
    cmd: [sh, -c, 'echo "$$PS $$PORT $$X $$1"; pwd; echo oops >&2', sh]
    args: ["$HOME_OF_A and more"]
    env: {X: of a, HOME_OF_A: /a, PORT: "99"}
    cwd: below
    redirect_output: [out, err]
    numprocesses: 2
  - name: b
    cmd: 'trap "" TERM; echo "$PS $PORT"; (sleep 0.2; kill -INT $PPID) & while :; do sleep 0.05; done'
    shell: true
    graceful_timeout: 0.3
`)
	if err := os.Mkdir(filepath.Join(p.dir, "below"), 0o700); err != nil {
		t.Fatal(err)
	}
	out, status := p.ask("start", "--time=false", "--grace", "1h", "-f", filepath.Join(p.dir, "p.yaml"))
	for _, want := range []string{"a.1    | a.1 99 of a /a and more\n", "a.2    | a.2 99", "/below\n", "| oops\n", "b.1    | b.1 5100\n"} {
		if status != 130 || !strings.Contains(out, want) {
			t.Errorf("status %d, want 130, and %q in\n%s", status, want, out)
		}
	}
}

func TestCheckStartsNothing(t *testing.T) {
	t.Parallel()
	p := with(t, "Procfile", "a: touch started\nb: exit 1\n")
	if out := p.must("check"); out != "a\nb\n" {
		t.Errorf("it says %q", out)
	}
	if _, err := os.Stat(filepath.Join(p.dir, "started")); err == nil {
		t.Error("something was started")
	}
	p = with(t, "Procfile.yaml", "- {name: a, cmd: $NOBODY_HAS_SET_THIS}\n- {name: b, cmd: c, numprocesses: 101}\n")
	if out, status := p.ask("check", "-f", filepath.Join(p.dir, "Procfile.yaml")); status != 2 || !strings.Contains(out, "numprocesses") {
		t.Errorf("status %d and %q", status, out)
	}
	if out, status := p.ask("check", "-m", "b=1", "-f", filepath.Join("testdata", "project", "processes.yaml")); status != 2 || !strings.Contains(out, `no "b"`) {
		t.Errorf("status %d and %q", status, out)
	}
}
