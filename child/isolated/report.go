package isolated

import (
	"context"
	"io"
	"os"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/child/process"
)

const (
	// maxReport is how many bytes of a crash's stacks are kept.
	maxReport = 64 << 10
	// lastReport is how long what a process has said may take to come when it
	// has ended. It lies in a buffer then.
	lastReport = time.Second
)

// A report is what the runtime of a copy says when it crashes, beside its error
// output.
type report struct {
	pipe *os.File
	done chan struct{} // closed when all has been read
	kept []byte        // written before done is closed

	heard sync.WaitGroup // of hear
	fatal string         // the last line that told of a fatal error
}

// newReport makes a report, and the copy's end of it.
func newReport() (*report, *os.File, error) {
	ours, theirs, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	r := &report{pipe: ours, done: make(chan struct{})}
	go r.read()
	return r, theirs, nil
}

func (r *report) read() {
	defer close(r.done)
	r.kept, _ = io.ReadAll(io.LimitReader(r.pipe, maxReport)) // as far as it came
	_, _ = io.Copy(io.Discard, r.pipe)                        // so that nobody waits
}

// fatal begins the line of a fatal error. Go prints it with the error output
// only: what it calls a crash begins with the stacks.
const fatal = "fatal error: "

// hear listens to the output of the process until that has ended.
func (r *report) hear(h *process.Handle) {
	r.heard.Go(func() {
		for line := range h.Lines(context.Background(), "") {
			if strings.HasPrefix(line.Text, fatal) {
				r.fatal = line.Text + "\n"
			}
		}
	})
}

// text is what has come, when the process has ended; nothing if it did not
// crash.
func (r *report) text(ctx context.Context) string {
	_ = r.pipe.SetReadDeadline(time.Now().Add(lastReport))
	<-r.done
	_ = r.pipe.Close()
	r.heard.Wait()
	if len(r.kept) == 0 {
		return ""
	}
	return child.Redact(ctx, plain(r.fatal+string(r.kept)))
}

// plain is text without control characters but for tabs and line breaks.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || unicode.IsPrint(r) {
			return r
		}
		return -1
	}, strings.ToValidUTF8(s, "?"))
}

// flat is text without control characters, in one line.
func flat(s string) string { return strings.NewReplacer("\n", " ", "\t", " ").Replace(plain(s)) }

// oneLine is flat text, at most a kilobyte of it.
func oneLine(s string) string {
	const most = 1 << 10
	return strings.TrimSpace(flat(s[:min(len(s), most)]))
}

// shortOfMemory reports whether the runtime crashed because the system gave it
// no more.
func shortOfMemory(text string) bool {
	return strings.Contains(text, "out of memory") || strings.Contains(text, "cannot allocate memory") ||
		strings.Contains(text, "cannot map pages")
}
