//go:build linux

package process_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/child/process"
	"github.com/coppice-go/coppice/supervisor"
)

// gafferTests is the helper of gaffer's own tests: it writes down in a file
// what it hears of.
const gafferTests = `
trap 'echo HUP >>"$1"' HUP
trap 'echo QUIT >>"$1"; echo STOP >>"$1"; exit 0' TERM QUIT
echo START >>"$1"; echo hello out; echo hello err >&2
while :; do sleep 0.01; done`

// defined is the child of a definition whose script is text and sees args.
func defined(text string, change func(*process.Config), args ...string) child.Spec {
	config := process.Config{Name: "c", Cmd: process.Argv{Text: text}, Shell: true, Args: process.Argv{List: args}}
	if change != nil {
		change(&config)
	}
	return config.ChildSpec()
}

func content(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return strings.Join(strings.Fields(string(b)), " ")
}

func TestAProcessIsActiveFromItsStartToItsStopAndHearsSignals(t *testing.T) {
	file := filepath.Join(t.TempDir(), "heard")
	sup := supervised(t, supervisor.Spec{Children: []child.Specer{defined(gafferTests, nil, file)}})
	h := handleOf(t, sup, "root/c")
	comesTrue(t, "it has begun", func() bool { return content(t, file) == "START" })
	if !h.Alive() || livingNames(t, sup, "root") != "c" {
		t.Error("it is not active")
	}
	if err := h.Signal(process.Leader, syscall.SIGHUP); err != nil {
		t.Error(err)
	}
	comesTrue(t, "it hears", func() bool { return content(t, file) == "START HUP" })
	if err := sup.Ref().TerminateChild(t.Context(), "c"); err != nil {
		t.Error(err)
	}
	if got := content(t, file); got != "START HUP QUIT STOP" || h.Alive() {
		t.Errorf("it has heard %s, and alive is %t", got, h.Alive())
	}
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGHUP} {
		if err := h.Signal(process.Group, sig); !errors.Is(err, process.ErrEnded) {
			t.Errorf("%v after the end: %v", sig, err)
		}
	}
	stopped(t, sup)
}

func TestAReloadIsHeardByTheProcessThatRuns(t *testing.T) {
	file := filepath.Join(t.TempDir(), "heard")
	sup := supervised(t, supervisor.Spec{Children: []child.Specer{defined(gafferTests, nil, file)}})
	h := handleOf(t, sup, "root/c")
	comesTrue(t, "it has begun", func() bool { return content(t, file) == "START" })
	if err := sup.Find("root/c").Reload(t.Context()); err != nil {
		t.Error(err)
	}
	comesTrue(t, "it hears", func() bool { return content(t, file) == "START HUP" })
	if s := statusOf(t, sup, "root/c"); s.Incarnation != 1 || !h.Alive() {
		t.Errorf("got %+v", s)
	}
	stopped(t, sup)
}

func TestASnapshotTellsOfAProcessWhatGafferDid(t *testing.T) {
	needTools(t, "sleep")
	before := time.Now()
	sup := supervised(t, supervisor.Spec{Children: []child.Specer{process.Config{Name: "web", Cmd: process.Argv{Text: "sleep 300"}}}})
	h := handleOf(t, sup, "root/web")
	s := sup.Snapshot().Root.Children[0]
	if s.Facts.PID != h.PID() || s.Name != "web" || s.Path != h.Path() || s.State != supervisor.Running || s.Incarnation != 1 {
		t.Errorf("got %+v", s)
	}
	if h.Began().Before(before) || h.Began().After(s.Since) || s.Since.After(time.Now()) {
		t.Errorf("it began at %v and runs since %v", h.Began(), s.Since)
	}
	stopped(t, sup)
	after := sup.Snapshot().Root
	for s := range after.All() {
		if s.State != supervisor.Down || s.Facts != (child.Facts{}) {
			t.Errorf("after the stop: %+v", s)
		}
	}
}

func TestEachStreamIsHeardByItsLabel(t *testing.T) {
	file := filepath.Join(t.TempDir(), "heard")
	sup := supervised(t, supervisor.Spec{Children: []child.Specer{
		defined(gafferTests, func(c *process.Config) { c.RedirectOutput = []string{"said", "complained"} }, file),
	}})
	h := handleOf(t, sup, "root/c")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	heard := make([]diary, 3)
	var all sync.WaitGroup
	for i, label := range []string{"said", "complained", ""} {
		all.Go(func() {
			for line := range h.Lines(ctx, label) {
				heard[i].note(fmt.Sprintf("%s %s of %s", line.Stream, line.Text, h.Path()))
			}
		})
	}
	comesTrue(t, "all is heard", func() bool { return len(heard[0].read())+len(heard[1].read())+len(heard[2].read()) == 4 })
	for range h.Lines(ctx, "") { // one who comes later hears the last ones too, and leaves
		break
	}
	var late []string
	for line := range h.Lines(ctx, "said") {
		late = append(late, line.Text)
		cancel()
	}
	all.Wait()
	out, err := "said hello out of root/c", "complained hello err of root/c"
	both := heard[2].read()
	slices.Sort(both)
	if got := heard[0].read(); !slices.Equal(got, []string{out}) {
		t.Errorf("of the output: %q", got)
	}
	if got := heard[1].read(); !slices.Equal(got, []string{err}) {
		t.Errorf("of the error output: %q", got)
	}
	if !slices.Equal(both, []string{err, out}) || !slices.Equal(late, []string{"hello out"}) {
		t.Errorf("of all: %q, later: %q", both, late)
	}
	stopped(t, sup)
}

func TestOneLabelTwiceIsOneStream(t *testing.T) {
	spec := defined(`for i in 1 2 3; do echo o$i; echo e$i >&2; done`, func(c *process.Config) { c.RedirectOutput = []string{"a", "a"} })
	r := serving(t, spec.Run.(process.Command))
	if err := r.end(); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, one := range r.output() {
		got = append(got, one.Stream+" "+one.Line)
	}
	if want := []string{"a o1", "a e1", "a o2", "a e2", "a o3", "a e3"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Longer than what a pipe takes in one piece.
func TestWritersTakeTurns(t *testing.T) {
	needTools(t, "cat")
	const writers, lines, long = 6, 20, 10_000
	var out calls
	r := serving(t, process.Command{Path: "cat", Stdin: process.Input{From: process.Piped}, Stdout: process.Output{Writer: &out}})
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			for i := range lines {
				if _, err := fmt.Fprintf(r, "%d %d %s\n", w, i, strings.Repeat(string(rune('a'+w)), long)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	within(t, 30*time.Second, "the writes", all.Wait)
	if err := r.CloseInput(); err != nil {
		t.Error(err)
	}
	if err := r.end(); err != nil {
		t.Error(err)
	}
	comesTrue(t, "all arrive", func() bool { return len(out.made()) >= writers*lines })
	next := [writers]int{}
	for _, line := range out.made() {
		var w, i int
		if _, err := fmt.Sscanf(line, "%d %d ", &w, &i); err != nil || w < 0 || w >= writers {
			t.Fatalf("got %.40q: %v", line, err)
		}
		if want := fmt.Sprintf("%d %d %s\n", w, next[w], strings.Repeat(string(rune('a'+w)), long)); line != want {
			t.Fatalf("got %.40q of %d bytes, want %.40q", line, len(line), want)
		}
		next[w]++
	}
}

func TestStreamsAndChannelsHaveTheDescriptorsFromThreeOnInTheirOrder(t *testing.T) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs := os.NewFile(uintptr(pair[0]), "ours"), os.NewFile(uintptr(pair[1]), "theirs")
	defer ours.Close()
	defer theirs.Close()
	spec := defined(`echo three >&3; echo four >&4; read -r word <&5; echo "$word, too" >&5; read -r word <&3`, func(c *process.Config) {
		c.CustomStreams, c.CustomChannels = []string{"first", "second"}, process.Channels{theirs}
	})
	for range 2 { // the channel is ours, and stays open
		r := serving(t, spec.Run.(process.Command))
		heard := map[string]string{}
		for _, name := range []string{"first", "second"} {
			b := make([]byte, 100)
			n, err := r.Stream(name).Read(b)
			if err != nil {
				t.Fatal(err)
			}
			heard[name] = string(b[:n])
		}
		if heard["first"] != "three\n" || heard["second"] != "four\n" {
			t.Errorf("got %q", heard)
		}
		if _, err := ours.WriteString("five\n"); err != nil {
			t.Fatal(err)
		}
		answer := make([]byte, len("five, too\n"))
		if _, err := io.ReadFull(ours, answer); err != nil || string(answer) != "five, too\n" {
			t.Errorf("got %q, %v", answer, err)
		}
		if r.Stream("channel-0") != nil {
			t.Error("a channel has an end of ours")
		}
		if _, err := r.Stream("first").Write([]byte("end\n")); err != nil {
			t.Error(err)
		}
		if err := r.end(); err != nil {
			t.Error(err)
		}
	}
	if _, err := theirs.Stat(); err != nil {
		t.Errorf("the channel is closed: %v", err)
	}
}

func TestTheEnvironmentOfOneDefinitionIsNotAnothers(t *testing.T) {
	t.Setenv("CONFIG_OUR", "ours")
	const text = `"shell":true,"cmd":"printf %s $CONFIG_OUR,$CONFIG_ITS,$CONFIG_NONE"`
	for _, c := range []struct{ text, want string }{
		{`{"name":"x",` + text + `,"env":{"CONFIG_OUR":"its","CONFIG_ITS":"own"},"os_env":true}`, "its,own,\n"},
		{`{"name":"y",` + text + `,"os_env":true}`, "ours,,\n"},
		{`{"name":"z",` + text + `,"os_env":false}`, ",,\n"},
		{`{"name":"y",` + text + `}`, "ours,,\n"},
	} {
		if got := printed(t, c.text); got != c.want {
			t.Errorf("%s: got %q, want %q", c.text, got, c.want)
		}
	}
}

func TestADefinitionWithoutADirectoryStartsInOurs(t *testing.T) {
	needTools(t, "pwd")
	ours, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	if got := printed(t, `{"name":"x","cmd":"pwd -P"}`); got != ours+"\n" {
		t.Errorf("got %q, want %q", got, ours)
	}
}

func TestADefinitionGoesToJSONAndBack(t *testing.T) {
	for _, text := range []string{
		`{"name":"web","cmd":"web -v","args":"--port '80 80'","env":{"B":"2","A":"1"},"os_env":false,"uid":33,"gid":"www-data",
			"cwd":"/srv","redirect_output":["out","err"],"redirect_input":true,"custom_streams":["ctl"],"numprocesses":2,"graceful_timeout":0.5}`,
		`{"name":"job","cmd":["job","a b"],"args":[],"shell":false,"detach":true}`,
	} {
		c := parse(t, text)
		written, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		if again := parse(t, string(written)); !reflect.DeepEqual(again, c) {
			t.Errorf("%s became %+v", written, again)
		}
	}
}

func TestADetachedProcessOutlivesTheStop(t *testing.T) {
	file := filepath.Join(t.TempDir(), "lines")
	spec := defined(`while sleep 0.02; do echo line && echo line >>"$1"; done`, func(c *process.Config) { c.Detach = true }, file)
	sup := supervised(t, supervisor.Spec{Children: []child.Specer{spec}})
	pid := handleOf(t, sup, "root/c").PID()
	t.Cleanup(func() {
		_ = syscall.Kill(pid, syscall.SIGKILL)
		_, _ = syscall.Wait4(pid, nil, 0, nil) // it is nobody's any more
	})
	if sid, err := unix.Getsid(pid); err != nil || sid != pid {
		t.Errorf("its session is %d: %v", sid, err)
	}
	within(t, 10*time.Second, "the stop", func() { stopped(t, sup) })
	before := content(t, file)
	comesTrue(t, "it prints on", func() bool { return content(t, file) > before })
	if left := living([]int{pid}); len(left) != 1 {
		t.Error("it did not outlive the stop")
	}
}

func TestThePartOfASecondOfAGracefulTimeoutCounts(t *testing.T) {
	const grace = 400 * time.Millisecond
	file := filepath.Join(t.TempDir(), "heard")
	sup := supervised(t, supervisor.Spec{Children: []child.Specer{
		defined(`trap 'echo TERM >>"$1"' TERM; echo START >>"$1"; while :; do sleep 0.02; done`, func(c *process.Config) { c.GracefulTimeout = grace.Seconds() }, file),
	}})
	h := handleOf(t, sup, "root/c")
	comesTrue(t, "it has begun", func() bool { return content(t, file) == "START" })
	began := time.Now()
	if err := sup.Ref().TerminateChild(t.Context(), "c"); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took < grace || took > 4*time.Second {
		t.Errorf("it ended after %v", took)
	}
	if got := content(t, file); got != "START TERM" || h.Alive() {
		t.Errorf("it has heard %s, and alive is %t", got, h.Alive())
	}
	stopped(t, sup)
}

func TestAOneOffProcessRunsOnceBesideThePool(t *testing.T) {
	dir := t.TempDir()
	config := process.Config{Name: "job", Cmd: process.Argv{Text: `[ "$1" = once ] || exec sleep 300; echo "$CONFIG_OUR" >>"$2"; exit 3`}, Shell: true,
		Env: map[string]string{"CONFIG_OUR": "its"}}
	pool := supervisor.Spec{Name: "pool", Template: func(arg any) child.Spec {
		s := config.Template()(arg)
		if arg != nil {
			s.Restart = child.Temporary
		}
		return s
	}}
	sup := supervised(t, supervisor.Spec{Children: []child.Specer{pool}})
	at := sup.Find("root/pool")
	if err := at.Scale(t.Context(), 2, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := at.StartChild(t.Context(), []string{"once", dir + "/ran"}); err != nil {
		t.Fatal(err)
	}
	awaitEvent(t, sup, supervisor.ChildRemoved, func(e supervisor.Event) bool { return e.Path == "root/pool/job" })
	if got := livingNames(t, sup, "root/pool"); got != "job-1 job-2" {
		t.Errorf("there live %q", got)
	}
	if err := at.Scale(t.Context(), 2, nil); err != nil {
		t.Fatal(err)
	}
	if got := livingNames(t, sup, "root/pool"); got != "job-1 job-2" || content(t, dir+"/ran") != "its" {
		t.Errorf("it counts: there live %q, and it ran: %q", got, content(t, dir+"/ran"))
	}
	stopped(t, sup)
	exits := 0
	for e := range sup.Events(t.Context(), 0) {
		if e.Path == "root/pool/job" && e.Kind == supervisor.ChildExited {
			if exits++; e.Exit.Code != 3 || e.Next != supervisor.Goes {
				t.Errorf("got %v", e)
			}
		}
	}
	if exits != 1 {
		t.Errorf("%d exits are told", exits)
	}
}

func TestGroupsOfProcessesWithTheSameNamesAreApart(t *testing.T) {
	needTools(t, "sleep")
	group := func(name string) supervisor.Spec {
		return supervisor.Spec{Name: name, Children: []child.Specer{child.Spec{Name: "a", Run: sleeper()}, child.Spec{Name: "b", Run: sleeper()}}}
	}
	sup := supervised(t, supervisor.Spec{Children: []child.Specer{group("one"), group("two")}})
	before := []int{handleOf(t, sup, "root/two/a").PID(), handleOf(t, sup, "root/two/b").PID()}
	gone := []int{handleOf(t, sup, "root/one/a").PID(), handleOf(t, sup, "root/one/b").PID()}
	if _, err := sup.Ref().StartChild(t.Context(), group("two")); !errors.Is(err, supervisor.ErrAlreadyStarted) {
		t.Errorf("a second of that name: %v", err)
	}
	for _, err := range []error{sup.Find("root/one").TerminateChild(t.Context(), "a"), sup.Ref().TerminateChild(t.Context(), "one"), sup.Ref().DeleteChild(t.Context(), "one")} {
		if err != nil {
			t.Error(err)
		}
	}
	if left := living(gone); len(left) > 0 || !slices.Equal(living(before), before) {
		t.Errorf("of those that went live %v, of the others %v", left, living(before))
	}
	if _, err := sup.Find("root/one/a").Status(); !errors.Is(err, supervisor.ErrNotFound) {
		t.Errorf("it is not forgotten: %v", err)
	}
	stopped(t, sup)
}

func TestEachEventOfAProcessIsToldOnceToEachWhoListens(t *testing.T) {
	sup := supervised(t, supervisor.Spec{Children: []child.Specer{child.Spec{Name: "c", Run: shell(t, "exit 3", new(lines))}}})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var all sync.WaitGroup
	heard := make([][]string, 2)
	for i := range heard {
		all.Go(func() {
			for e := range sup.Events(ctx, 0) {
				heard[i] = append(heard[i], fmt.Sprint(e.Seq, e.Path, e.Incarnation, e.Kind, e.Exit.Code))
				if e.Incarnation == 5 && e.Kind == supervisor.ChildExited {
					return
				}
			}
		})
	}
	all.Wait()
	stopped(t, sup)
	var want []string
	for n := 1; n <= 5; n++ {
		for _, one := range []struct {
			kind supervisor.EventKind
			code int
		}{{supervisor.ChildStarting, 0}, {supervisor.ChildStarted, 0}, {supervisor.ChildExited, 3}} {
			want = append(want, fmt.Sprint(uint64(len(want)+1), "root/c", n, one.kind, one.code))
		}
	}
	for i, got := range heard {
		if !slices.Equal(got, want) {
			t.Errorf("listener %d: got %q, want %q", i, got, want)
		}
	}
}

func TestTheStatisticsOfAGroupAreThoseOfItsProcesses(t *testing.T) {
	needTools(t, "sleep")
	sup := supervised(t, supervisor.Spec{Children: []child.Specer{
		supervisor.Spec{Name: "pool", Children: []child.Specer{child.Spec{Name: "a", Run: sleeper()}, child.Spec{Name: "b", Run: sleeper()}}},
		supervisor.Spec{Name: "empty"},
	}})
	below := func(path string) (n int, memory uint64) {
		t.Helper()
		all, err := process.Sample()
		if err != nil {
			t.Fatal(err)
		}
		for h, s := range all {
			if strings.HasPrefix(h.Path(), path+"/") {
				n, memory = n+1, memory+s.Tree.Memory
			}
		}
		return n, memory
	}
	if n, memory := below("root/pool"); n != 2 || memory < 100<<10 {
		t.Errorf("the pool has %d processes with %d bytes", n, memory)
	}
	if n, memory := below("root/empty"); n != 0 || memory != 0 {
		t.Errorf("the empty one has %d processes with %d bytes", n, memory)
	}
	stopped(t, sup)
}
