package supervisor_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/strategies"
	"github.com/coppice-go/coppice/supervisor"
	"github.com/thejerf/suture/v4"
)

// A scene is a tree and a transcript of its life, played by goroutines in a
// bubble of time. It is written like the transcripts of the machine, but tells
// only what can be seen from outside:
//
//	b fails => -c -a +a +b +c
//
//	+a  a run of a begins         -a  it sees that it was told to stop
//	xa  its start fails           !a  it sees that its grace is over
//	oa  it wants no run
//	up  Start has returned; over:why:a  the tree has ended
//	ok, not_found ...  the answer to the call of this line
//	call:a=ok          the answer to an earlier call
//
// With =~ in the place of => these come in any order, as they do of several who
// are killed in one step.
//
// The inputs are to be read off the method input. A line that begins with ==
// says where everybody stands, in the order of the tree.
type scene struct {
	sup   string           // strategy, intensity and so on; see supervisor
	kids  string           // separated by ;
	inner map[string]scene // those of the kids that are supervisors
	text  string
	log   string // its lines from warning up, or none; empty: they do not matter
}

func playScenes(t *testing.T, scenes map[string]scene) {
	for name, s := range scenes {
		t.Run(name, func(t *testing.T) { synctest.Test(t, s.play) })
	}
}

func (s scene) play(t *testing.T) {
	st := &stage{t: t, actors: map[string]*actor{}, dynamic: map[string]bool{}, release: make(chan struct{})}
	if st.options = quiet; s.log != "" {
		st.options.Logger = slog.New(slog.NewTextHandler(&st.log, &slog.HandlerOptions{Level: slog.LevelWarn, ReplaceAttr: plainLine}))
	}
	spec := st.supervisor("root", s)
	for line := range strings.Lines(s.text) {
		if line = strings.TrimSpace(line); line != "" {
			st.line(spec, line)
		}
	}
	close(st.release)
	if st.sup != nil {
		_ = st.sup.Stop(context.Background())
	}
	if st.cancel != nil {
		st.cancel()
	}
	if s.log != "" {
		synctest.Wait()
		st.check("log", strings.TrimSpace(st.log.String()), strings.TrimSuffix(s.log, "none"))
	}
}

// plainLine leaves of a line of the log what is the same every time.
func plainLine(groups []string, a slog.Attr) slog.Attr {
	if slices.Contains(groups, "process") {
		return slog.Attr{}
	}
	switch a.Key {
	case slog.TimeKey, "incarnation", "cause", "attempt", "stack":
		return slog.Attr{}
	case "path":
		a.Value = slog.StringValue(strings.TrimPrefix(a.Value.String(), "root/"))
	}
	return a
}

// stage plays scenes.
type stage struct {
	t       *testing.T
	options supervisor.Options
	log     bytes.Buffer // written by the tree's logger until the tree has ended
	sup     *supervisor.Supervisor
	cancel  context.CancelFunc
	release chan struct{}   // lets go of those who never end
	dynamic map[string]bool // the supervisors that have a template

	mu     sync.Mutex // protects what follows
	actors map[string]*actor
	said   []string
	turn   int // the number of this line
}

// actor is a child and how it behaves.
type actor struct {
	name       string
	slow, deaf bool          // ends only when killed; never
	cleanup    time.Duration // how long it takes to stop
	answer     string        // how it ends when told
	next       []string      // how its next starts go
	quit       chan string   // how it is to end
}

func (st *stage) say(format string, args ...any) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.said = append(st.said, fmt.Sprintf(format, args...))
}

func (st *stage) actor(name string) *actor {
	st.mu.Lock()
	defer st.mu.Unlock()
	a := st.actors[name]
	if a == nil {
		a = &actor{name: name, answer: "ends", quit: make(chan string)}
		st.actors[name] = a
	}
	return a
}

// supervisor reads the words about a supervisor. The intensity is unlimited if
// none is given.
func (st *stage) supervisor(path string, s scene) supervisor.Spec {
	spec := supervisor.Spec{Name: last("/" + path), Intensity: strategies.Intensity{Restarts: strategies.Unlimited}, Backoff: noDelay}
	for word := range strings.FieldsSeq(s.sup) {
		var err error
		switch word {
		case "any_significant":
			spec.AutoShutdown = supervisor.AnySignificant
		case "all_significant":
			spec.AutoShutdown = supervisor.AllSignificant
		case "endless":
			spec.Shutdown = child.Infinity
		case "dynamic":
			st.dynamic[path] = true
			spec.Template = func(words any) child.Spec { return st.child(path, words.(string), nil).ChildSpec() }
		default:
			if strings.Contains(word, "/") {
				spec.Intensity, err = strategies.ParseIntensity(word)
			} else {
				spec.Strategy, err = strategies.ParseStrategy(word)
			}
		}
		if err != nil {
			st.t.Fatal(err)
		}
	}
	for kid := range strings.SplitSeq(s.kids, ";") {
		if kid = strings.TrimSpace(kid); kid != "" {
			spec.Children = append(spec.Children, st.child(path, kid, s.inner))
		}
	}
	return spec
}

// child reads a child's name and the words about it.
func (st *stage) child(path, words string, inner map[string]scene) child.Specer {
	fields := strings.Fields(words)
	at := path + "/" + fields[0]
	spec := child.Spec{Name: fields[0], Ready: child.Readiness{Call: true}}
	s, nested := inner[fields[0]]
	var sup supervisor.Spec
	if nested {
		sup = st.supervisor(at, s)
		spec.Ready = child.Readiness{}
	}
	a := st.actor(strings.TrimPrefix(at, "root/"))
	spec.Run = st.play(a)
	for _, word := range fields[1:] {
		st.word(&spec, a, word)
	}
	if !nested {
		return spec
	}
	sup.Restart, sup.Shutdown, sup.Significant, sup.Ready = spec.Restart, spec.Shutdown, spec.Significant, spec.Ready
	return sup
}

// word reads one word about a child.
func (st *stage) word(spec *child.Spec, a *actor, word string) {
	key, value, _ := strings.Cut(word, "=")
	var err error
	switch key {
	case "transient":
		spec.Restart = child.Transient
	case "temporary":
		spec.Restart = child.Temporary
	case "significant":
		spec.Significant = true
	case "plain": // its start takes no time
		spec.Ready = child.Readiness{}
	case "delayed":
		spec.Backoff = strategies.Backoff{Min: time.Second}
	case "brutal":
		spec.Shutdown = child.BrutalKill
	case "infinite":
		spec.Shutdown = child.Infinity
	case "grace":
		spec.Shutdown, err = time.ParseDuration(value)
	case "slow": // ends only when it is killed
		a.slow = true
	case "deaf": // does not even then
		a.deaf = true
	case "cleanup":
		a.cleanup, err = time.ParseDuration(value)
	case "answers":
		a.answer = value
	default:
		err = fmt.Errorf("what is %q?", word)
	}
	if err != nil {
		st.t.Fatal(err)
	}
}

// play is what a runs.
func (st *stage) play(a *actor) child.Func {
	return func(ctx context.Context) error {
		st.say("+%s", a.name)
		switch how := st.nextStart(a); how {
		case "ready":
		case "hold":
			select {
			case how := <-a.quit:
				if how != "ready" {
					return end(how)
				}
			case <-ctx.Done():
				return st.told(ctx, a)
			}
		case "ignore":
			st.say("o%s", a.name)
			return suture.ErrDoNotRestart
		default:
			st.say("x%s", a.name)
			return end(how)
		}
		child.Ready(ctx)
		select {
		case how := <-a.quit:
			return end(how)
		case <-ctx.Done():
			return st.told(ctx, a)
		}
	}
}

func (st *stage) nextStart(a *actor) (how string) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if how = "ready"; len(a.next) > 0 {
		how, a.next = a.next[0], a.next[1:]
	}
	return how
}

// told is how a ends that was told to stop.
func (st *stage) told(ctx context.Context, a *actor) error {
	st.say("-%s", a.name)
	var clean <-chan time.Time
	killed := child.Killed(ctx)
	switch {
	case a.deaf:
		killed = nil
	case !a.slow:
		clean = time.After(a.cleanup)
	}
	select {
	case how := <-a.quit:
		return end(how)
	case <-clean:
		return end(a.answer)
	case <-killed:
		st.say("!%s", a.name)
		return errLife
	case <-st.release:
		return nil
	}
}

// end ends a run in the way that the word says.
func end(how string) error {
	switch how {
	case "ends":
		return nil
	case "fails":
		return errLife
	case "lacks": // something, for now
		return &child.StartError{Err: errLife, Temporary: true}
	case "cancels": // without having been told
		return context.Canceled
	case "never":
		return suture.ErrDoNotRestart
	case "panics":
		panic(errLife)
	case "goexits":
		runtime.Goexit()
	}
	panic("what is " + how + "?")
}

// line plays one line of a transcript.
func (st *stage) line(spec supervisor.Spec, line string) {
	st.t.Helper()
	input, want, ordered := strings.Cut(line, "=>")
	if !ordered {
		input, want, _ = strings.Cut(line, "=~")
	}
	if states, ok := strings.CutPrefix(line, "=="); ok {
		st.check(line, st.states(), states)
		return
	}
	st.input(spec, strings.Fields(input))
	synctest.Wait()
	st.mu.Lock()
	got := st.said
	st.said, st.turn = nil, st.turn+1
	st.mu.Unlock()
	st.sortStops(got)
	if !ordered {
		slices.Sort(got)
	}
	st.check(line, strings.Join(got, " "), want)
}

func (st *stage) check(line, got, want string) {
	st.t.Helper()
	if got, want = strings.Join(strings.Fields(got), " "), strings.Join(strings.Fields(want), " "); got != want {
		st.t.Errorf("%s\n got %s\nwant %s", line, got, want)
	}
}

// sortStops puts the children of a template in the order of their names where
// they were told, or killed, together.
func (st *stage) sortStops(said []string) {
	above := func(i int) string {
		if i == len(said) || !strings.ContainsRune("-!", rune(said[i][0])) {
			return ""
		}
		path := "root/" + said[i][1:]
		if path = path[:strings.LastIndexByte(path, '/')]; st.dynamic[path] {
			return path
		}
		return ""
	}
	for i := 0; i < len(said); {
		j := i + 1
		for above(i) != "" && above(j) == above(i) {
			j++
		}
		slices.SortStableFunc(said[i:j], func(a, b string) int { return strings.Compare(a[1:], b[1:]) })
		i = j
	}
}

// states says where everybody below the root stands.
func (st *stage) states() string {
	st.t.Helper()
	if st.sup == nil {
		st.t.Fatal("the tree has not started")
	}
	var all []string
	snap := st.sup.Snapshot()
	for s := range snap.Root.All() {
		st.ask(s)
		if s.Path != "root" {
			all = append(all, strings.TrimPrefix(s.Path, "root/")+" "+s.State.String())
		}
	}
	return strings.Join(all, ", ")
}

// ask wants OTP's which_child and which_children to say what the snapshot says.
func (st *stage) ask(want *supervisor.Status) {
	st.t.Helper()
	ref := st.sup.Find(want.Path)
	if got, err := ref.Status(); err != nil || got.State != want.State || got.Name != want.Name || got.Supervisor != want.Supervisor {
		st.t.Errorf("which_child: got %+v, %v, want %+v", got, err, want)
	}
	if !want.Supervisor || want.State != supervisor.Running {
		return
	}
	names := func(list []supervisor.Status) (all []string) {
		for _, s := range list {
			all = append(all, s.Name)
		}
		return all
	}
	if got, err := ref.Children(); err != nil || !slices.Equal(names(got), names(want.Children)) {
		st.t.Errorf("which_children: got %v, %v, want %v", names(got), err, names(want.Children))
	}
}

// input is one line's input: what happens to the tree, a call, or what a child
// does.
func (st *stage) input(spec supervisor.Spec, words []string) {
	st.t.Helper()
	switch op := words[0]; op {
	case "start":
		if len(words) == 1 {
			st.begin(spec)
			return
		}
		st.call(op, words[1], strings.Join(words[2:], " "))
	case "terminate", "restart", "delete", "bounce":
		st.call(op, words[1], "")
	case "stop": // with or without a budget
		st.stop(words[1:])
	case "cancel":
		st.cancel()
	case "after":
		d, err := time.ParseDuration(words[1])
		if err != nil {
			st.t.Fatal(err)
		}
		time.Sleep(d)
	case "next": // how the next starts of a child go
		st.actor(words[1]).next = words[2:]
	case "count":
		st.count(words[1:])
	default:
		select {
		case st.actor(op).quit <- words[1]:
		case <-time.After(1000 * time.Hour):
			st.t.Errorf("%s does not run, and cannot end", op)
		}
	}
}

func (st *stage) begin(spec supervisor.Spec) {
	ctx, cancel := context.WithCancel(context.Background())
	st.cancel = cancel
	go func() {
		sup, err := st.options.Start(ctx, spec)
		if err != nil {
			st.say("%s", verdict(err))
			return
		}
		st.say("up")
		st.sup = sup
		st.say("%s", verdict(sup.Wait()))
	}()
}

func (st *stage) stop(budget []string) {
	ctx, cancel := context.Background(), context.CancelFunc(func() {})
	if len(budget) > 0 {
		d, err := time.ParseDuration(budget[0])
		if err != nil {
			st.t.Fatal(err)
		}
		ctx, cancel = context.WithTimeout(ctx, d)
	}
	go func() {
		defer cancel()
		_ = st.sup.Stop(ctx) // how it ended is said by Wait
	}()
}

// verdict is why a tree ended.
func verdict(err error) string {
	var exit *supervisor.ExitError
	var stop *supervisor.StopError
	switch {
	case err == nil:
		return "over"
	case errors.As(err, &stop):
		names := "over:stuck"
		for _, b := range stop.Blocked {
			names += ":" + strings.TrimPrefix(b.Path, "root/")
		}
		return names
	case errors.As(err, &exit):
		why := map[supervisor.Cause]string{
			supervisor.GaveUp: "gave_up", supervisor.InitFailed: "init_failed",
			supervisor.ShutDown: "automatic", supervisor.TreeTerminated: "terminated",
		}
		return "over:" + why[exit.Cause] + ":" + strings.TrimPrefix(exit.Child, "root/")
	}
	return err.Error()
}

// call makes a call about the child at path, in a goroutine of its own. The
// words are about a new child.
func (st *stage) call(op, path, words string) {
	ctx := context.Background()
	at := st.sup.Find("root/" + path)
	name := last("/" + path)
	above := st.sup.Find(strings.TrimSuffix("root/"+path, "/"+name))
	acts := map[string]func() error{
		"terminate": func() error { return above.TerminateChild(ctx, name) },
		"restart":   func() error { return above.RestartChild(ctx, name) },
		"delete":    func() error { return above.DeleteChild(ctx, name) },
		"bounce":    func() error { return at.Bounce(ctx) },
		"start":     func() error { return st.startChild(ctx, above, name+" "+words) },
	}
	st.mu.Lock()
	turn := st.turn
	st.mu.Unlock()
	go func() {
		word := answer(acts[op]())
		st.mu.Lock()
		defer st.mu.Unlock()
		if st.turn != turn {
			word = op + ":" + path + "=" + word
		}
		st.said = append(st.said, word)
	}()
}

// startChild hands the words to a template, or the child that they tell of.
func (st *stage) startChild(ctx context.Context, at supervisor.Ref, words string) error {
	var err error
	if st.dynamic[at.Path()] {
		_, err = at.StartChild(ctx, words)
	} else {
		_, err = at.StartChild(ctx, st.child(at.Path(), words, nil))
	}
	return err
}

// count is OTP's count_children.
func (st *stage) count(at []string) {
	n, err := st.sup.Find(strings.Join(append([]string{"root"}, at...), "/")).Count()
	if err != nil {
		st.t.Error(err)
	}
	st.say("%d %d %d %d", n.Specs, n.Active, n.Supervisors, n.Workers)
}
