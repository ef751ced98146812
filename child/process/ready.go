package process

import (
	"context"
	"fmt"
	"regexp"
	"sync"
	"time"

	"github.com/coppice-go/coppice/child"
)

// Ready says by which signs a program tells that its start is complete. Of
// several, with READY=1 by [Notify] among them, all must come. The zero value
// waits for none: the start is complete when the program executes.
type Ready struct {
	// Line matches a line of its output or error output, without the newline.
	// A stream that does not come to us in lines is not looked at. Optional.
	Line *regexp.Regexp
	// Descriptor is one on which the program writes a newline when it is
	// ready, as s6 has it; it is closed for reading after that. It must lie
	// beyond the Sockets and the Streams. Optional; zero is none. Not on
	// Windows.
	Descriptor int
	// Within is how long the signs may take to come, unless the process asks
	// for more time by its socket; the start has failed after that. Optional;
	// zero leaves it to the Readiness of the child's spec, which bounds it in
	// any case.
	Within time.Duration
}

// maxDescriptor is the highest one for a sign: those below it are there, too,
// if only as closed ones.
const maxDescriptor = 255

func (c Command) validateReady(m *mistakes) {
	r := c.Ready
	lined := func(o Output) bool { return o.captured() && !o.Raw }
	first := 3 + len(c.Sockets) + len(c.Streams)
	m.add(r.Line != nil && !lined(c.Stdout) && !lined(c.Stderr), "Ready.Line", nil, "needs an output that comes to us in lines")
	m.add(r.Descriptor != 0 && (r.Descriptor < first || r.Descriptor > maxDescriptor), "Ready.Descriptor", r.Descriptor,
		fmt.Sprintf("must lie between %d, beyond the sockets and streams, and %d", first, maxDescriptor))
	m.add(r.Within < 0, "Ready.Within", r.Within, "must not be negative")
	m.add(r.Within > 0 && c.awaited() == 0, "Ready.Within", r.Within, "needs a sign to wait for")
}

// sign is a set of what a program can tell by that it is ready.
type sign uint8

const (
	lineSign sign = 1 << iota
	newlineSign
	messageSign
)

// awaited is which signs complete the start.
func (c Command) awaited() (all sign) {
	if c.Ready.Line != nil {
		all |= lineSign
	}
	if c.Ready.Descriptor != 0 {
		all |= newlineSign
	}
	if c.Notify.Ready {
		all |= messageSign
	}
	return all
}

// signs are those of one run. They come from any goroutine. Nil is none.
type signs struct {
	line *regexp.Regexp
	come chan struct{} // closed when all have

	mu      sync.Mutex // protects missing
	missing sign
}

func newSigns(c Command) *signs {
	if c.awaited() == 0 {
		return nil
	}
	return &signs{line: c.Ready.Line, come: make(chan struct{}), missing: c.awaited()}
}

// take notes that a sign has come.
func (s *signs) take(one sign) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.missing == 0 {
		return
	}
	if s.missing &^= one; s.missing == 0 {
		close(s.come)
	}
}

func (s *signs) lacks(one sign) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.missing&one != 0
}

// look takes the line that is the sign.
func (s *signs) look(text []byte) {
	if s != nil && s.lacks(lineSign) && s.line.Match(text) {
		s.take(lineSign)
	}
}

// late reports whether the run has ended by itself, or for another reason than
// a stop, and its signs have come, be it with its last words.
func (s *signs) late(told bool) bool { return s != nil && !told && isClosed(s.come) }

// unready is how a run ended whose signs have not come in time.
type unready struct{ within time.Duration }

// Error says how long it took.
func (e *unready) Error() string { return fmt.Sprintf("process: not ready within %v", e.within) }

// StopReason is what the supervisor would have said.
func (*unready) StopReason() child.Reason { return child.ByReadiness }

// awaitReady returns when all signs have come, and is false if the run is over
// or to be ended before.
func (p *proc) awaitReady(ctx context.Context, within time.Duration) bool {
	if p.signs == nil {
		return p.handle.reason() == nil
	}
	var late <-chan time.Time
	timer := time.NewTimer(within)
	defer timer.Stop()
	if within > 0 {
		late = timer.C
	}
	for p.handle.reason() == nil && ctx.Err() == nil {
		if isClosed(p.exited) && !p.moveOn(ctx) {
			return false // what comes yet is seen when everything has been read
		}
		select {
		case <-p.signs.come:
			return p.handle.reason() == nil
		case <-p.exited:
		case <-ctx.Done():
		case <-p.handle.wake:
		case <-late:
			more := p.extension()
			if more <= 0 {
				p.handle.Fail(&unready{within})
			} else {
				timer.Reset(more)
			}
		}
	}
	p.handle.poke() // who waits next is to see it, too
	return false
}
