package metrics_test

import (
	"context"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/child/process"
	"github.com/coppice-go/coppice/metrics"
	"github.com/coppice-go/coppice/supervisor"
)

// The test binary plays the process: it prints two lines and waits.
func TestMain(m *testing.M) {
	if os.Getenv("METRICS_PLAY") == "print" {
		os.Stdout.WriteString("one\ntwo\n")
		os.Stderr.WriteString("three\n")
		os.Stdout.WriteString(os.Getenv("METRICS_LINE"))
		if os.Getenv("METRICS_END") != "" {
			os.Exit(1)
		}
		time.Sleep(time.Hour)
	}
	code := m.Run()
	if left := leaks(); code == 0 && left != "" {
		println("goroutines of the package are left behind:\n" + left)
		code = 1
	}
	os.Exit(code)
}

// leaks are the stacks of this package's goroutines, once they have had time to
// end.
func leaks() string {
	buffer := make([]byte, 1<<20)
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		var left []string
		for _, stack := range strings.Split(string(buffer[:runtime.Stack(buffer, true)]), "\n\n") {
			if strings.Contains(stack, "coppice/metrics.(") {
				left = append(left, stack)
			}
		}
		if len(left) == 0 || time.Now().After(deadline) {
			return strings.Join(left, "\n\n")
		}
	}
}

func TestWhatProcessesUse(t *testing.T) {
	self, err := os.Executable()
	if err != nil || runtime.GOOS != "linux" {
		t.Skip("only Linux tells what processes use")
	}
	sup := start(t, supervisor.Spec{Name: "root", Children: []child.Specer{
		child.Spec{Name: "prints", Run: process.Command{Path: self, Env: []string{"METRICS_PLAY=print"}}},
	}})
	defer stop(t, sup)
	c := metrics.NewCollector(sup, metrics.Options{Every: 20 * time.Millisecond})
	wanted := []string{
		`coppice_child_output_bytes_total{path="root/prints",stream="stdout",tree="root"} 8`,
		`coppice_child_output_bytes_total{path="root/prints",stream="stderr",tree="root"} 6`,
		`coppice_child_output_lines_total{path="root/prints",tree="root"} 3`,
		`coppice_process_threads{path="root/prints",tree="root"}`,
		`coppice_process_resident_memory_bytes{path="root/prints",tree="root"}`,
	}
	shows(t, c, wanted...)
	if err := sup.Find("root/prints").Bounce(context.Background()); err != nil {
		t.Fatal(err)
	}
	for i, from := range []string{"} 8", "} 6", "} 3"} { // they go on over runs
		wanted[i] = strings.Replace(wanted[i], from, []string{"} 16", "} 12", "} 6"}[i], 1)
	}
	shows(t, c, wanted...)
}

// shows waits until a scrape shows all that is wanted. On a machine that is busy
// samples take long, and the next one then comes a hundred times as long after.
func shows(t *testing.T, c *metrics.Collector, wanted ...string) {
	t.Helper()
	for deadline := time.Now().Add(3 * time.Minute); ; time.Sleep(10 * time.Millisecond) {
		got, missing := text(t, c), ""
		for _, w := range wanted {
			if !strings.Contains(got, w) {
				missing = w
			}
		}
		if missing == "" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("no %s in\n%s", missing, got)
		}
	}
}

func TestSecretsDoNotLeaveTheProgram(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Skip(err)
	}
	command := process.Command{
		Path: self, Args: []string{"--password", "hunter2"},
		Env: []string{"METRICS_PLAY=print", "METRICS_SECRET=hunter2", "METRICS_LINE=token=hunter2 <i>ready\x1b[0m\n"},
	}
	failing := command
	failing.Env = append([]string{"METRICS_END=1"}, command.Env...)
	sup := start(t, supervisor.Spec{Name: "root", Children: []child.Specer{
		child.Spec{Name: "talks", Run: command}, child.Spec{Name: "fails", Run: failing},
	}})
	defer stop(t, sup)
	server := serve(t, sup, metrics.Site{Authorise: allow})
	events := follow(t, server, "?rows&after=0", "")
	eventually(t, "it has printed and failed", func() bool {
		return strings.Contains(get(t, server, "/observe/child?path=root/talks").body, "ready") &&
			strings.Contains(get(t, server, "/observe/child?path=root/fails").body, "three")
	})
	for _, path := range []string{
		"tree", "child?path=root/talks", "child?path=root/fails", "child?path=root", "metrics", "readyz?verbose", "healthz", "",
	} {
		if got := get(t, server, "/observe/"+path).body; strings.Contains(got, "hunter2") || strings.Contains(got, "<i>") || strings.Contains(got, "u001b") {
			t.Errorf("%s tells it:\n%s", path, got)
		}
	}
	if err := sup.Find("root/talks").Bounce(context.Background()); err != nil {
		t.Fatal(err)
	}
	for events.lines.Scan() {
		if strings.Contains(events.lines.Text(), "hunter2") {
			t.Errorf("an event tells it: %s", events.lines.Text())
		}
		if strings.Contains(events.lines.Text(), `"kind":"started","path":"root/talks","incarnation":2`) {
			return
		}
	}
}
