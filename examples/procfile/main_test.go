//go:build unix

package main

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// asProgram makes the test binary the program that it tests.
const asProgram = "PROCFILE_AS_PROGRAM"

// patience is for what takes a moment on a machine with nothing else to do.
const patience = time.Minute

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	os.Exit(m.Run())
}

// A project is a folder with a Procfile, and a run time directory of its own.
type project struct {
	t            *testing.T
	dir, runtime string
	mark         string
}

// at is the project in dir. At the end of the test none of its processes is
// left, or the test fails.
func at(t *testing.T, dir string) *project {
	t.Helper()
	// The path of a socket must be short, which t.TempDir is not.
	runtime, err := os.MkdirTemp("", "pf")
	if err != nil {
		t.Fatal(err)
	}
	p := &project{t: t, dir: dir, runtime: runtime, mark: "PROCFILE_MARK=" + filepath.Base(runtime)}
	t.Cleanup(func() { _ = os.RemoveAll(runtime) })
	t.Cleanup(p.nothingLeft)
	return p
}

// with is a project of a file.
func with(t *testing.T, name, text string) *project {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, name), text)
	return at(t, dir)
}

func (p *project) command(args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], append(args, "-d", p.dir)...)
	cmd.Env = append(os.Environ(), asProgram+"=1", "XDG_RUNTIME_DIR="+p.runtime, p.mark)
	return cmd
}

// ask runs a command that ends by itself.
func (p *project) ask(args ...string) (out string, status int) {
	p.t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := p.command(args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if _, ok := err.(*exec.ExitError); err != nil && !ok {
		p.t.Fatal(err)
	}
	return stdout.String() + stderr.String(), cmd.ProcessState.ExitCode()
}

// must is ask of what succeeds.
func (p *project) must(args ...string) string {
	p.t.Helper()
	out, status := p.ask(args...)
	if status != 0 {
		p.t.Fatalf("%v: status %d: %s", args, status, out)
	}
	return out
}

// A run is a program whose lines a test waits for.
type run struct {
	*exec.Cmd
	t     *testing.T
	lines chan string
	mu    sync.Mutex
	all   strings.Builder
}

// start starts a command that goes on, and kills it at the end of the test if
// it is still there.
func (p *project) start(args ...string) *run {
	p.t.Helper()
	r := &run{Cmd: p.command(args...), t: p.t, lines: make(chan string, 1000)}
	reader, writer := io.Pipe()
	r.Stdout, r.Stderr = writer, writer
	if err := r.Start(); err != nil {
		p.t.Fatal(err)
	}
	go r.read(reader)
	p.t.Cleanup(func() {
		if r.ProcessState == nil {
			_ = r.Process.Kill()
			_ = r.Wait()
		}
		_ = writer.Close()
	})
	return r
}

func (r *run) read(from io.Reader) {
	defer close(r.lines)
	for scanner := bufio.NewScanner(from); scanner.Scan(); {
		r.mu.Lock()
		r.all.WriteString(scanner.Text() + "\n")
		r.mu.Unlock()
		r.lines <- scanner.Text()
	}
}

func (r *run) printed() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.all.String()
}

// until waits for a line that contains the text, and returns it.
func (r *run) until(text string) string {
	r.t.Helper()
	late := time.After(patience)
	for {
		select {
		case line, ok := <-r.lines:
			if !ok {
				r.t.Fatalf("it ended without %q; it printed:\n%s", text, r.printed())
			}
			if strings.Contains(line, text) {
				return line
			}
		case <-late:
			r.t.Fatalf("no %q came; it printed:\n%s", text, r.printed())
		}
	}
}

func (r *run) signal(sig os.Signal) {
	r.t.Helper()
	if err := r.Process.Signal(sig); err != nil {
		r.t.Fatal(err)
	}
}

// ends waits for the end with a status.
func (r *run) ends(status int) {
	r.t.Helper()
	timer := time.AfterFunc(patience, func() { _ = r.Process.Kill() })
	defer timer.Stop()
	_ = r.Wait()
	if got := r.ProcessState.ExitCode(); got != status {
		r.t.Errorf("it ended with status %d, not %d; it printed:\n%s", got, status, r.printed())
	}
}

// nothingLeft looks for processes that have the mark of the project in their
// environment.
func (p *project) nothingLeft() {
	for deadline := time.Now().Add(patience / 4); ; time.Sleep(10 * time.Millisecond) {
		left := p.marked()
		if left == "" {
			return
		}
		if time.Now().After(deadline) {
			p.t.Errorf("there is left: %s", left)
			return
		}
	}
}

// marked is the command lines of the processes that are left, where the system
// shows that.
func (p *project) marked() string {
	var found []string
	paths, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, path := range paths {
		env, err := os.ReadFile(path)
		if err == nil && bytes.Contains(env, []byte(p.mark+"\x00")) {
			line, _ := os.ReadFile(filepath.Join(filepath.Dir(path), "cmdline"))
			found = append(found, strings.ReplaceAll(string(line), "\x00", " "))
		}
	}
	return strings.Join(found, "; ")
}

// sockets are the control sockets that are there.
func (p *project) sockets() []string {
	found, _ := filepath.Glob(filepath.Join(p.runtime, "*", "*"))
	return found
}

func freePort(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().(*net.TCPAddr).Port
}

func needs(t *testing.T, programs ...string) {
	t.Helper()
	for _, program := range programs {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("there is no %s here", program)
		}
	}
}
