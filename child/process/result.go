package process

import (
	"bytes"
	"context"
	"fmt"
	"sync"

	"github.com/coppice-go/coppice/child"
)

// MostOutput is how many bytes of each stream [Run] keeps.
const MostOutput = 1 << 20

// A Result is what a program printed, and how it ended.
type Result struct {
	// Stdout is the output, at most the first MostOutput bytes of it.
	Stdout []byte
	// Stderr is the error output, at most the first MostOutput bytes of it. It
	// is empty if both streams have one Label.
	Stderr []byte
	// Dropped is how many bytes of both were more than that.
	Dropped int64
	// Exit is how the process ended, whoever asked it to. Zero, if it did not
	// start, is a normal end: look at the error first.
	Exit child.Exit
}

// Run runs c once, outside of any tree, and returns what it printed. A stream
// that has another target than the log, or a Writer, goes there.
//
// The end of ctx is the timeout: the process is asked by the ladder of c, and
// its group is killed [child.DefaultShutdown] later at the latest. The error
// then wraps the cause of ctx, which is [context.DeadlineExceeded] after a
// timeout, whatever the process has answered. Otherwise it is that of
// [Command.Serve]: nil, a [*child.StatusError], [ErrIdle], or a failed start.
// The result holds what there was up to then.
//
// The context may be that of a child: its readiness and what it publishes are
// not touched.
func Run(ctx context.Context, c Command) (Result, error) {
	var kept [2]keeper
	for i, o := range []*Output{&c.Stdout, &c.Stderr} {
		if o.To == Log && o.Writer == nil {
			o.Writer, o.Raw = &kept[i], true
		}
	}
	var r Result
	if err := c.Validate(); err != nil {
		return r, &child.StartError{Err: err}
	}
	a := &attempt{command: c}
	p, err := a.begin(ctx)
	if err != nil {
		return r, err
	}
	p.alone = true
	err = p.see(ctx)
	r.Stdout, r.Dropped = kept[0].take(r.Dropped)
	r.Stderr, r.Dropped = kept[1].take(r.Dropped)
	r.Exit = child.ExitOf(p.handle.status)
	if p.handle.told {
		err = fmt.Errorf("process: %s was ended: %w", c, context.Cause(ctx))
	}
	return r, err
}

// A keeper keeps the beginning of a stream. It may still be written to when it
// is read, by a process that left its group.
type keeper struct {
	mu      sync.Mutex // protects what follows
	kept    []byte
	dropped int64
}

// Write never fails.
func (k *keeper) Write(b []byte) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	fits := min(len(b), MostOutput-len(k.kept))
	k.kept = append(k.kept, b[:fits]...)
	k.dropped += int64(len(b) - fits)
	return len(b), nil
}

// take is what was kept, and how much was dropped beside so many others.
func (k *keeper) take(others int64) ([]byte, int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return bytes.Clone(k.kept), others + k.dropped
}
