package supervisor_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/strategies"
	"github.com/coppice-go/coppice/supervisor"
)

// The recordings are random scripts of operations on OTP's own supervisor and
// what it did. See testdata/README.md for their form.

type script struct {
	Seed  int
	Tree  scriptTree
	Steps []step
}

type scriptTree struct {
	Name         string
	Strategy     strategies.Strategy
	Intensity    int
	AutoShutdown supervisor.AutoShutdown `json:"auto_shutdown"`
	Children     []scriptChild
}

type scriptChild struct {
	Name        string
	Restart     child.Restart
	Significant bool
	Type        string
	Supervisor  *scriptTree
}

type step struct {
	Op       string
	Sup      string
	Child    string
	Reason   string
	Fail     *int `json:"fail_next_starts"`
	Spec     *scriptChild
	Result   string
	Alive    *bool
	Events   []string
	Children []stepSup
}

type stepSup struct {
	Sup      string
	Children []stepChild
}

type stepChild struct{ Name, State string }

func TestOTPRecordings(t *testing.T) {
	files := []string{"testdata/otp-traces.jsonl", "testdata/otp-traces-2.jsonl"}
	if file := os.Getenv("COPPICE_OTP_TRACES"); file != "" {
		files = []string{file}
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			scripts := readScripts(t, file)
			if len(scripts) == 0 {
				t.Fatalf("%s holds no scripts", file)
			}
			differences := 0
			for _, s := range scripts {
				synctest.Test(t, func(t *testing.T) {
					for _, d := range newReplay(&s).run() {
						differences++
						t.Error(d)
					}
				})
			}
			t.Logf("%s: ran %d scripts, %d differences", file, len(scripts), differences)
		})
	}
}

func readScripts(t *testing.T, file string) (scripts []script) {
	t.Helper()
	f, err := os.Open(file)
	if os.IsNotExist(err) && !filepath.IsAbs(file) {
		f, err = os.Open(filepath.Join("..", file)) // relative to the module
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var s script
		if err := json.Unmarshal(lines.Bytes(), &s); err != nil {
			t.Fatal(err)
		}
		scripts = append(scripts, s)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return scripts
}

// replay plays one script on a coppice tree.
type replay struct {
	script *script
	sup    *supervisor.Supervisor

	mu     sync.Mutex
	fail   map[string]int
	events []string
	quit   map[string]chan string // by path: ends the live worker
}

func newReplay(s *script) *replay {
	return &replay{script: s, fail: map[string]int{}, quit: map[string]chan string{}}
}

func (r *replay) log(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, fmt.Sprintf(format, args...))
}

var errScripted = errors.New("scripted")

// worker is a recorded worker: it says when it has started, unless this start
// is one to fail, and ends when it is told to or when the script says so.
func (r *replay) worker(ctx context.Context) error {
	path := child.Path(ctx)
	r.mu.Lock()
	fails := r.fail[path] > 0
	if fails {
		r.fail[path]--
	}
	quit := make(chan string)
	r.quit[path] = quit
	r.mu.Unlock()
	if fails {
		r.log("fail %s", path)
		return errScripted
	}
	r.log("start %s", path)
	child.Ready(ctx)
	select {
	case reason := <-quit:
		r.log("exit %s", path)
		if reason == "error" {
			return errScripted
		}
		return nil
	case <-ctx.Done():
		r.log("stop %s", path)
		return ctx.Err()
	}
}

func last(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

var noDelay = strategies.Backoff{Min: strategies.None}

func (r *replay) spec(t scriptTree) supervisor.Spec {
	s := supervisor.Spec{
		Name: last(t.Name), Strategy: t.Strategy, AutoShutdown: t.AutoShutdown, Backoff: noDelay,
		Intensity: strategies.Intensity{Restarts: t.Intensity, Period: 1000 * time.Hour},
	}
	if t.Strategy == strategies.SimpleOneForOne {
		template := t.Children[0]
		s.Template = func(arg any) child.Spec {
			c := r.child(template).(child.Spec)
			c.Name = arg.(string)
			return c
		}
		return s
	}
	for _, c := range t.Children {
		s.Children = append(s.Children, r.child(c))
	}
	return s
}

func (r *replay) child(c scriptChild) child.Specer {
	if c.Type == "supervisor" {
		s := r.spec(*c.Supervisor)
		s.Restart, s.Significant = c.Restart, c.Significant
		return s
	}
	return child.Spec{
		Name: last(c.Name), Run: child.Func(r.worker), Restart: c.Restart, Significant: c.Significant,
		Ready: child.Readiness{Call: true},
	}
}

func (r *replay) run() (differences []string) {
	differ := func(i int, what string, want, got any) {
		differences = append(differences, fmt.Sprintf("seed %d, step %d (%s): %s: want %v, got %v",
			r.script.Seed, i, r.script.Steps[i].Op, what, want, got))
	}
	quiet := supervisor.Options{Logger: slog.New(slog.DiscardHandler)}
	for i, s := range r.script.Steps {
		result := r.step(quiet, s)
		synctest.Wait()
		if s.Result != "" && result != s.Result {
			differ(i, "result", s.Result, result)
		}
		if got := r.take(); !slices.Equal(got, s.Events) {
			differ(i, "events", s.Events, got)
		}
		if s.Alive != nil {
			if got := r.alive(); got != *s.Alive {
				differ(i, "alive", *s.Alive, got)
			}
			want, got := supervisors(s.Children), supervisors(r.children())
			if want != got {
				differ(i, "children", want, got)
			}
		}
		if len(differences) > 0 {
			break
		}
	}
	_ = r.sup.Stop(context.Background())
	return differences
}

func (r *replay) step(options supervisor.Options, s step) string {
	ctx := context.Background()
	if s.Fail != nil {
		name := s.Child
		if name == "" && s.Spec != nil {
			name = s.Spec.Name
		}
		r.mu.Lock()
		r.fail[name] = *s.Fail
		r.mu.Unlock()
	}
	at := supervisor.Ref{}
	if r.sup != nil {
		at = r.sup.Find(s.Sup)
	}
	switch s.Op {
	case "start":
		sup, err := options.Start(ctx, r.spec(r.script.Tree))
		r.sup = sup
		return answer(err)
	case "shutdown":
		return answer(r.sup.Stop(ctx))
	case "exit":
		r.mu.Lock()
		quit := r.quit[s.Child]
		r.mu.Unlock()
		quit <- s.Reason
		return s.Result
	case "start_child":
		var err error
		if s.Spec != nil {
			_, err = at.StartChild(ctx, r.child(*s.Spec))
		} else {
			_, err = at.StartChild(ctx, last(s.Child))
		}
		return answer(err)
	case "terminate_child":
		return answer(at.TerminateChild(ctx, last(s.Child)))
	case "restart_child":
		return answer(at.RestartChild(ctx, last(s.Child)))
	case "delete_child":
		return answer(at.DeleteChild(ctx, last(s.Child)))
	}
	return s.Result
}

// answer is a call's error in OTP's words.
func answer(err error) string {
	words := []struct {
		err  error
		word string
	}{
		{supervisor.ErrNotFound, "not_found"}, {supervisor.ErrRunning, "running"},
		{supervisor.ErrRestarting, "restarting"}, {supervisor.ErrAlreadyStarted, "already_started"},
		{supervisor.ErrAlreadyPresent, "already_present"}, {supervisor.ErrStartFailed, "start_failed"},
		{supervisor.ErrDynamic, "simple_one_for_one"}, {supervisor.ErrMaxChildren, "max_children"},
		{supervisor.ErrInterrupted, "interrupted"}, {supervisor.ErrStopped, "stopped"},
	}
	if err == nil {
		return "ok"
	}
	for _, w := range words {
		if errors.Is(err, w.err) {
			return w.word
		}
	}
	return err.Error()
}

func (r *replay) alive() bool {
	select {
	case <-r.sup.Done():
		return false
	default:
		return true
	}
}

// take is what the workers did since the last step. The children of a template
// stop in any order: a run of their stops is put in order of names.
func (r *replay) take() []string {
	r.mu.Lock()
	events := r.events
	r.events = nil
	r.mu.Unlock()
	dynamic := map[string]bool{}
	var walk func(t scriptTree)
	walk = func(t scriptTree) {
		dynamic[t.Name] = t.Strategy == strategies.SimpleOneForOne
		for _, c := range t.Children {
			if c.Supervisor != nil {
				walk(*c.Supervisor)
			}
		}
	}
	walk(r.script.Tree)
	parent := func(event string) string {
		path, ok := strings.CutPrefix(event, "stop ")
		if !ok || !dynamic[path[:strings.LastIndexByte(path, '/')]] {
			return ""
		}
		return path[:strings.LastIndexByte(path, '/')]
	}
	for i := 0; i < len(events); {
		j := i + 1
		for j < len(events) && parent(events[i]) != "" && parent(events[j]) == parent(events[i]) {
			j++
		}
		slices.Sort(events[i:j])
		i = j
	}
	if events == nil {
		events = []string{}
	}
	return events
}

// children is what the tree says of itself.
func (r *replay) children() (all []stepSup) {
	if !r.alive() {
		return nil
	}
	snap := r.sup.Snapshot()
	for s := range snap.Root.All() {
		if !s.Supervisor || s.State != supervisor.Running {
			continue
		}
		of := stepSup{Sup: s.Path}
		for _, c := range s.Children {
			state := c.State.String()
			if c.State == supervisor.Down {
				state = "stopped"
			}
			of.Children = append(of.Children, stepChild{c.Path, state})
		}
		if s.Strategy == strategies.SimpleOneForOne {
			slices.SortFunc(of.Children, func(a, b stepChild) int { return strings.Compare(a.Name, b.Name) })
		}
		all = append(all, of)
	}
	return all
}

// supervisors is a text of a list of supervisors whose order means nothing.
func supervisors(list []stepSup) string {
	lines := make([]string, len(list))
	for i, s := range list {
		lines[i] = fmt.Sprint(s)
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}
