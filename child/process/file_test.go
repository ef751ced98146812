//go:build unix

package process_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/child/process"
)

// into is a script whose two streams go to one file.
func into(path, text string) process.Command {
	c := script(text)
	c.Stdout = process.Output{To: process.File, File: process.LogFile{Path: path, Megabytes: 3}}
	c.Stderr = c.Stdout
	return c
}

func serve(t *testing.T, c process.Command) {
	t.Helper()
	if err := c.Serve(t.Context()); err != nil {
		t.Error(err)
	}
}

// unopened fails if the file is still open, or somebody still minds it.
func unopened(t *testing.T, path string) {
	t.Helper()
	buf, left := make([]byte, 1<<20), "timberjack"
	for end := time.Now().Add(10 * time.Second); strings.Contains(left, "timberjack") && time.Now().Before(end); time.Sleep(time.Millisecond) {
		left = string(buf[:runtime.Stack(buf, true)]) // one that has said that it ends may still be seen
	}
	if strings.Contains(left, "timberjack") {
		t.Errorf("a goroutine is left:\n%s", left)
	}
	links, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range links {
		if target, err := os.Readlink(link); err == nil && target == path {
			t.Errorf("%s is still open", path)
		}
	}
}

func TestLinesGoToAFileInTheOrderInWhichTheyWerePrinted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "web.log")
	serve(t, into(path, `echo one; echo two >&2; printf three`))
	serve(t, into(path, `echo four`))
	if got, err := os.ReadFile(path); err != nil || string(got) != "one\ntwo\nthree\nfour\n" {
		t.Errorf("got %q, %v", got, err)
	}
	unopened(t, path)
}

func TestAFileAndItsPredecessorsHaveABound(t *testing.T) {
	path := filepath.Join(t.TempDir(), "web.log")
	serve(t, into(path, `i=0; while [ $i -lt 20 ]; do head -c 1000000 /dev/zero | tr '\0' x; echo $i; i=$((i+1)); done`))
	unopened(t, path)
	var total int64
	var last []byte
	for _, entry := range bounded(t, filepath.Dir(path)) {
		info, err := entry.Info()
		if err != nil {
			t.Fatal(err)
		}
		total += info.Size()
	}
	if total > 3<<20 || total < 1<<20 {
		t.Errorf("there are %d bytes", total)
	}
	last, err := os.ReadFile(path)
	if err != nil || !bytes.HasSuffix(last, []byte("x19\n")) {
		t.Errorf("the last line is not there: %v", err)
	}
}

func bounded(t *testing.T, dir string) []fs.DirEntry {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

// recorder is the run of a child whose log is kept.
type recorder struct {
	child.Runtime
	log *lines
}

func (recorder) Ready()                  {}
func (recorder) Path() string            { return "caller" }
func (recorder) Publish(any)             {}
func (recorder) Killed() <-chan struct{} { return nil }
func (recorder) Redact(s string) string  { return s }
func (r recorder) Logger() *slog.Logger  { return slog.New(slog.NewTextHandler(r.log, nil)) }
func (r recorder) context() context.Context {
	return context.WithValue(context.Background(), child.RuntimeKey{}, r)
}

func TestAFullDiskHoldsUpNobodyAndWhatIsLostIsCounted(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("it needs a disk that is always full: ", err)
	}
	r := recorder{log: new(lines)}
	if err := into("/dev/full", `i=0; while [ $i -lt 5000 ]; do echo "a line of some forty bytes, number $i"; i=$((i+1)); done`).Serve(r.context()); err != nil {
		t.Errorf("got %v", err)
	}
	got := r.log.String()
	if !strings.Contains(got, "no space left") || !strings.Contains(got, `"output was lost" stream=stdout lines=5000`) || strings.Count(got, "\n") != 2 {
		t.Errorf("the log says %s", got)
	}
	unopened(t, "/dev/full")
}

func TestAFileThatCannotBeMadeIsNoFailure(t *testing.T) {
	plain := filepath.Join(t.TempDir(), "plain")
	if err := os.WriteFile(plain, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	r := recorder{log: new(lines)}
	if err := into(filepath.Join(plain, "web.log"), `echo one; echo two`).Serve(r.context()); err != nil {
		t.Errorf("got %v", err)
	}
	if got := r.log.String(); !strings.Contains(got, "lines=2") {
		t.Errorf("the log says %s", got)
	}
}

func TestManyProcessesShareAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "web.log")
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			serve(t, into(path, fmt.Sprintf(`i=0; while [ $i -lt 300 ]; do printf '%d of '; echo $i; i=$((i+1)); done`, i)))
		})
	}
	all.Wait()
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 4 {
		if n := strings.Count("\n"+string(got), fmt.Sprintf("\n%d of ", i)); n != 300 {
			t.Errorf("of %d there are %d whole lines", i, n)
		}
	}
	unopened(t, path)
}

func TestWhatIsNoOrdinaryFileIsNotRenamed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skip("it needs a named pipe: ", err)
	}
	r := recorder{log: new(lines)}
	if err := into(path, `echo nobody reads`).Serve(r.context()); err != nil || !strings.Contains(r.log.String(), "lines=1") {
		t.Errorf("got %v, log %s", err, r.log)
	}
	reader, err := os.OpenFile(path, os.O_RDWR|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := reader.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	read := make(chan int64)
	go func() {
		n, _ := io.Copy(io.Discard, io.LimitReader(reader, 2000002))
		read <- n
	}()
	serve(t, into(path, `head -c 2000001 /dev/zero | tr '\0' x; echo`))
	if n := <-read; n != 2000002 {
		t.Errorf("%d bytes arrived", n)
	}
	_ = reader.Close()
	if entries := bounded(t, filepath.Dir(path)); len(entries) != 1 {
		t.Errorf("there are %v", entries)
	}
}

func TestMistakesAboutAFileAreTold(t *testing.T) {
	for _, c := range []struct {
		out  process.Output
		want string
	}{
		{process.Output{To: process.File}, "Command.Stdout.File.Path: \"\": must name a file"},
		{process.Output{File: process.LogFile{Path: "x"}}, "Command.Stdout.File: \"x\": needs a To that is File"},
		{process.Output{To: process.File, File: process.LogFile{Path: "x\x00"}}, "Command.Stdout.File.Path"},
		{process.Output{To: process.File, File: process.LogFile{Path: "x", Megabytes: 2}}, "Command.Stdout.File.Megabytes: \"2\": must lie"},
		{process.Output{To: process.File, File: process.LogFile{Path: "x"}, Writer: io.Discard}, "Command.Stdout.To: \"file\""},
	} {
		if err := (process.Command{Path: "a", Stdout: c.out}).Validate(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %q in it", err, c.want)
		}
	}
}

func (recorder) Incarnation() uint64 { return 1 }
