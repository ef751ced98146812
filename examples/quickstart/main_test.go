package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/coppice-go/coppice/supervisor"
)

func TestTheTreeIsDrawnAndLeavesNothingBehind(t *testing.T) {
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("the example needs a POSIX shell: ", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	sup, err := supervisor.Options{Logger: slog.New(slog.DiscardHandler)}.Start(ctx, tree())
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	p := newPrinter(&out)
	for e := range sup.Events(ctx, 0) {
		p.event(e)
		if e.Path == "demo/flapper" && e.Kind == supervisor.ChildExited {
			break
		}
	}
	p.tree(sup.Snapshot())
	if err := sup.Stop(ctx); err != nil {
		t.Error(err)
	}
	for _, want := range []string{
		"demo/sleeper       started\n", "demo/flapper       error: the database is not there -> again in 1s\n",
		"├─ sleeper               running", "└─ jobs                  running", "   └─ exit3              running",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the output has no %q:\n%s", want, out.String())
		}
	}
	for s := range ptr(sup.Snapshot()).Root.All() {
		if s.State != supervisor.Down {
			t.Errorf("%s is %s after the stop", s.Path, s.State)
		}
	}
}

func TestTheTreeIsShownOverHTTPUntilItEnds(t *testing.T) {
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("the example needs a POSIX shell: ", err)
	}
	printed, to := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- run(to, 3*time.Second, "localhost:0")
		to.Close()
	}()
	lines := bufio.NewScanner(printed)
	url := ""
	for url == "" && lines.Scan() {
		_, url, _ = strings.Cut(lines.Text(), "shown at ")
	}
	go io.Copy(io.Discard, printed)
	if url == "" {
		t.Fatal("nobody said where the tree is shown: ", <-ended)
	}
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	for path, want := range map[string]string{
		"": "<html", "metrics": `path="demo/worker"`, "healthz": "", "readyz": "", "tree": `"demo/jobs/exit3"`,
	} {
		answer, err := client.Get(url + path)
		if err != nil {
			t.Error(err)
			continue
		}
		body, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if err != nil || answer.StatusCode != http.StatusOK || !strings.Contains(string(body), want) {
			t.Errorf("/%s: %s, %v, without %q:\n%s", path, answer.Status, err, want, body)
		}
	}
	// One who reads the events does not hold up the end.
	stream, err := client.Get(url + "events")
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Body.Close()
	if err := <-ended; err != nil {
		t.Error("the program ended with: ", err)
	}
	if answer, err := client.Get(url); err == nil {
		answer.Body.Close()
		t.Error("the tree is shown after its end")
	}
}

func ptr[T any](v T) *T { return &v }
