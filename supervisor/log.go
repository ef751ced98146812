package supervisor

import (
	"context"
	"log/slog"
	"math"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/supervisor/internal/machine"
)

// publish tells the world what an input has brought: readers of events, the
// log, and the error of a supervisor that ends. It comes before the actions
// are performed, so that nobody hears of their effects first. Its caller holds
// the node's lock.
func (n *node) publish(actions []machine.Action, now time.Duration) {
	hub, told := &n.tree.hub, false
	for i := range actions {
		a := &actions[i]
		if a.Do != machine.Note {
			continue
		}
		if !told {
			told = true
			hub.mu.Lock()
		}
		n.note(hub.slot(), a, now)
	}
	if told {
		hub.tell()
		hub.mu.Unlock()
		hub.announce()
	}
}

// note fills in the record r of what happened.
func (n *node) note(r *record, a *machine.Action, now time.Duration) {
	c := a.Child
	r.at, r.incarnation, r.what, r.next, r.wait = now, a.Incarnation, a.What, a.Next, a.Wait
	r.reason, r.restarts, r.path = a.Reason, 0, n.pathOf(c)
	if a.Exit != nil {
		r.exit = *a.Exit
	}
	if c.Past != nil {
		r.restarts = c.Past.Restarts
	}
	if a.What == machine.Exited && a.Next == machine.Follows && a.Exit.Kind != child.Normal && n.m.Phase() >= machine.Ending && !wished(a, c) {
		n.answer(r)
	}
	if level := levelOf(a, c); int64(level) >= n.tree.log.level.Load() {
		n.tree.log.add(r, c, level)
	}
}

// pathOf is the path of the child, which its last run knows already.
func (n *node) pathOf(c *machine.Child) string {
	if run, ok := c.Run.(*run); ok {
		return run.path
	}
	return n.path + "/" + c.Name
}

// answer keeps what a child answered to the final stop, if that was a failure.
//
//go:noinline
func (n *node) answer(r *record) {
	if r.exit.Abnormal() && len(n.answers) < maxAnswers {
		n.answers = append(n.answers, Answer{r.path, r.exit})
	}
}

// logger writes lines in a goroutine of its own: a handler is the user's, and
// may be slow, panic, or call the supervisor.
type logger struct {
	tree    *tree
	level   atomic.Int64 // the lowest level that the handler takes
	dropped atomic.Uint64

	mu    sync.RWMutex // protects what follows
	lines chan line    // nil while the tree does not serve
	done  chan struct{}
}

// line is one line to come: a record, or a complaint.
type line struct {
	record
	level      slog.Level
	suppressed uint64
	complaint  string
	err        error
}

// queued is how many lines may wait for a slow handler.
const queued = 256

// flush is how long the end of the tree waits for a slow handler. Together with
// the time that a killed run has to end it stays within the second that a stop
// may take beyond its budget.
const flush = time.Second / 4

func (l *logger) init(t *tree) { l.tree = t }

// open begins a life of the root.
func (l *logger) open() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines, l.done = make(chan line, queued), make(chan struct{})
	l.level.Store(int64(slog.LevelDebug))
	go l.write(l.lines, l.done)
}

// close ends it, when all lines are written or the handler is too slow.
func (l *logger) close() {
	l.mu.Lock()
	close(l.lines)
	done := l.done
	l.lines = nil
	l.mu.Unlock()
	timer := time.NewTimer(flush)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
	}
}

// add queues a line for a record. A line that repeats is held back.
//
//go:noinline
func (l *logger) add(r *record, c *machine.Child, level slog.Level) {
	suppressed := uint64(0)
	if c.Past != nil {
		lines, _ := c.Past.Log.(*volume)
		if lines == nil {
			lines = new(volume)
			c.Past.Log = lines
		}
		ok := false
		if suppressed, ok = lines.of(level).allows(r.at); !ok {
			return
		}
	}
	l.line(r, level, suppressed)
}

// line queues a line for a record.
//
//go:noinline
func (l *logger) line(r *record, level slog.Level, suppressed uint64) {
	l.queue(line{record: *r, level: level, suppressed: suppressed})
}

func (l *logger) queue(line line) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.lines == nil {
		return
	}
	select {
	case l.lines <- line:
	default:
		l.dropped.Add(1)
	}
}

// complain logs a fault of the user's code.
func (t *tree) complain(what, path string, err error) {
	t.log.queue(line{complaint: what, record: record{path: path}, err: err})
}

// volume bounds the lines of one child, through the lives of its supervisor.
// What is grave has a bound of its own, so that a crash loop does not hold back
// the line that tells of its end.
type volume struct{ usual, grave quiet }

func (v *volume) of(level slog.Level) *quiet {
	if level >= slog.LevelError {
		return &v.grave
	}
	return &v.usual
}

// quiet bounds lines: burst in any period, then one that says how many were
// held back.
type quiet struct {
	since      time.Duration
	lines      int
	suppressed uint64
}

const (
	quietBurst  = 10
	quietPeriod = time.Minute
)

func (q *quiet) allows(now time.Duration) (suppressed uint64, ok bool) {
	if now-q.since >= quietPeriod {
		q.since, q.lines = now, 0
	}
	if q.lines >= quietBurst {
		q.suppressed++
		return 0, false
	}
	q.lines++
	suppressed, q.suppressed = q.suppressed, 0
	return suppressed, true
}

// levelOf is how loud a change is: what an operator has to know of is louder
// than what was asked for.
func levelOf(a *machine.Action, c *machine.Child) slog.Level {
	switch {
	case a.What == machine.Quit || a.What == machine.IsStuck:
		return slog.LevelError
	case a.What == machine.Killing && c.Policy.Grace != child.BrutalKill:
		return slog.LevelWarn
	case a.What == machine.Exited && (answered(a) || wished(a, c)):
		return slog.LevelDebug
	case a.What == machine.Exited && (a.Next == machine.Restarts && a.Reason == child.NotTold || a.Exit.AsError() != nil):
		return slog.LevelWarn
	case a.What == machine.Exited && a.Next != machine.Follows,
		a.What == machine.Started && c.Past != nil && c.Past.Restarts > 0:
		return slog.LevelInfo
	}
	return slog.LevelDebug
}

// answered reports whether a start has failed that a call asked for: its caller
// is told why (OTP's rule, too).
func answered(a *machine.Action) bool {
	return a.Exit.Kind == child.StartFailed && (a.Next == machine.Goes || a.Next == machine.Stays)
}

// wished reports whether a run has died of the kill that its spec asks for.
func wished(a *machine.Action, c *machine.Child) bool {
	return c.Policy.Grace == child.BrutalKill && a.Exit.Kind == child.KilledByUs &&
		a.Exit.Signal == syscall.SIGKILL && !a.Reason.Failure()
}

// write writes lines until there are no more.
func (l *logger) write(lines <-chan line, done chan struct{}) {
	ended := false
	defer func() {
		if ended {
			close(done)
			return
		}
		go l.write(lines, done) // the handler has ended the goroutine
	}()
	for line := range lines {
		l.one(line)
	}
	ended = true
}

// one writes a line and contains a handler that panics.
func (l *logger) one(line line) {
	defer func() { _ = recover() }()
	log := l.tree.options.logger()
	ctx := context.Background()
	lowest := slog.Level(math.MaxInt)
	for _, level := range []slog.Level{slog.LevelError, slog.LevelWarn, slog.LevelInfo, slog.LevelDebug} {
		if log.Enabled(ctx, level) {
			lowest = level
		}
	}
	l.level.Store(int64(lowest))
	if n := l.dropped.Swap(0); n > 0 {
		log.LogAttrs(ctx, slog.LevelWarn, "log lines dropped", slog.Uint64("lines", n))
	}
	if line.complaint != "" {
		log.LogAttrs(ctx, slog.LevelError, line.complaint, slog.String("path", line.record.path), slog.Any("error", line.err))
		return
	}
	log.LogAttrs(ctx, line.level, messages[line.what], line.attrs()...)
}

var messages = [...]string{
	machine.Added: "child added", machine.Began: "child starting", machine.Started: "child started",
	machine.Exited: "child exited", machine.Told: "child told to stop", machine.Killing: "child killed",
	machine.IsStuck: "child does not end", machine.Removed: "child removed", machine.Quit: "supervisor gives up",
}

// attrs say which child, why, what happens next, and how often it did. Their
// keys are the same in every line.
func (l *line) attrs() []slog.Attr {
	attrs := []slog.Attr{
		slog.String("path", l.record.path), slog.Uint64("incarnation", l.incarnation),
	}
	if l.what == machine.Exited || l.what == machine.Quit {
		attrs = append(attrs, slog.String("cause", l.exit.Cause().String()), slog.String("exit", l.exit.String()))
		if l.exit.Kind == child.ExitCode || l.exit.Kind == child.Signalled {
			attrs = append(attrs, l.process())
		}
	}
	if l.what == machine.Exited {
		attrs = append(attrs, slog.String("next", Next(l.next).String()))
	}
	if l.reason != child.NotTold {
		attrs = append(attrs, slog.String("reason", l.reason.String()))
	}
	if n := l.attempt(); n > 0 {
		attrs = append(attrs, slog.Uint64("attempt", n))
	}
	if l.wait > 0 {
		attrs = append(attrs, slog.Duration("delay", l.wait))
	}
	if l.suppressed > 0 {
		attrs = append(attrs, slog.Uint64("suppressed", l.suppressed))
	}
	if p, ok := l.exit.Err.(*child.PanicError); ok && p != nil && (l.what == machine.Exited || l.what == machine.Quit) { //nolint:errorlint // a panic deeper in the chain is not this run's
		attrs = append(attrs, slog.String("stack", p.Stack()))
	}
	return attrs
}

// attempt is the number of the restart that the line is about. One that waits
// is not counted yet.
func (l *line) attempt() uint64 {
	if l.what == machine.Exited && Next(l.next) == Restarts && l.wait > 0 {
		return l.restarts + 1
	}
	return l.restarts
}

// process is the group of what only a process has.
func (l *line) process() slog.Attr {
	if l.exit.Kind == child.ExitCode {
		return slog.Group("process", slog.Int("code", int(l.exit.Code)))
	}
	return slog.Group("process", slog.Int("signal", int(l.exit.Signal)), slog.Bool("core", l.exit.Core), slog.Bool("oom", l.exit.OOM))
}
