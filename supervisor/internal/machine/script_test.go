package machine_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/strategies"
	. "github.com/coppice-go/coppice/supervisor/internal/machine"
)

// A script is a supervisor, its children, and a transcript of their life. Each
// line of a transcript is an input, an arrow, and what must follow from it:
//
//	b fails => -c -a +a +b +c
//
// What follows is written so:
//
//	+a  a run of a begins            -a  it is told to stop
//	xa  its start fails              !a  its grace is over
//	oa  it ends and wants no other   ~a  it is left behind
//	a@2s  a waits so long for its restart
//	ok, not_found ...  the answer to the call of this line
//	call:a=ok          the answer to an earlier call
//	up  the start is complete; gone:a, stuck:a, quit:a (the supervisor gives
//	up because of a), blocked, over:why:a
//
// The other inputs are to be read off the method input. A line that begins with
// == says where the children stand, in their order.
//
// A child of a script says when it has started, which it does at once, and ends
// at once when it is told. Words behind its name change that; see child.
type script struct {
	sup  string // strategy, intensity and so on; see config
	kids string // separated by ;
	text string
}

func (s script) run(t *testing.T) {
	t.Helper()
	p := &player{world: emptyWorld(t), how: map[string]*manner{}}
	p.config(s.sup)
	var kids []*Child
	for kid := range strings.SplitSeq(s.kids, ";") {
		if kid = strings.TrimSpace(kid); kid != "" {
			kids = append(kids, p.child(kid))
		}
	}
	p.create(kids)
	for line := range strings.Lines(s.text) {
		if line = strings.TrimSpace(line); line != "" {
			p.line(line)
		}
	}
	p.finish()
}

func runScripts(t *testing.T, scripts map[string]script) {
	for name, s := range scripts {
		t.Run(name, s.run)
	}
}

// player plays the children of a script in the world of the fuzzer, which
// checks what must always hold.
type player struct {
	*world
	how  map[string]*manner
	said []string // what followed from this line
	todo []func() // what the children do next
	call *Request // of this line
	plan []string // a child to come, and how its starts go
}

// manner is how a child behaves.
type manner struct {
	slow, deaf bool     // ends only when killed; never
	next       []string // how its next starts go
}

func (p *player) line(line string) {
	p.t.Helper()
	if states, ok := strings.CutPrefix(line, "=="); ok {
		if got, want := p.states(), strings.TrimSpace(states); got != want {
			p.failf("%s\n got %s\nwant %s", line, got, want)
		}
		return
	}
	input, want, _ := strings.Cut(line, "=>")
	p.said, p.call = nil, nil
	p.input(strings.Fields(input))
	if got, want := strings.Join(p.said, " "), strings.Join(strings.Fields(want), " "); got != want {
		p.failf("%s\n got %s\nwant %s", line, got, want)
	}
}

var stateWords = [...]string{
	Down: "down", Starting: "starting", Running: "running", Restarting: "restarting",
	Stopping: "stopping", Stuck: "stuck", Dead: "dead",
}

func (p *player) states() string {
	var all []string
	p.m.Each(func(c *Child) bool {
		all = append(all, c.Name+" "+stateWords[c.State])
		return true
	})
	return strings.Join(all, ", ")
}

// config reads the words about the supervisor. The intensity is unlimited if
// none is given.
func (p *player) config(words string) {
	in := "unlimited"
	for word := range strings.FieldsSeq(words) {
		switch word {
		case "each":
			in += " each"
		case "any_significant":
			p.c.Auto = AnySignificant
		case "all_significant":
			p.c.Auto = AllSignificant
		case "dynamic":
			p.c.Dynamic, p.c.Strategy = true, strategies.SimpleOneForOne
		case "together":
			p.c.Together = true
		case "max=2":
			p.c.MaxChildren = 2
		default:
			if s, err := strategies.ParseStrategy(word); err == nil {
				p.c.Strategy = s
			} else {
				in = word
			}
		}
	}
	var err error
	if p.c.Intensity, err = strategies.ParseIntensity(in); err != nil {
		p.t.Fatal(err)
	}
	p.c.Intensity = p.c.Intensity.WithDefaults()
}

// child reads a child's name and the words about it.
func (p *player) child(words string) *Child {
	fields := strings.Fields(words)
	m := &manner{}
	p.how[fields[0]] = m
	c := &Child{Name: fields[0]}
	y := &Policy{
		Announces: true, Grace: 5 * time.Second, Patience: 30 * time.Second,
		Backoff: strategies.Backoff{Min: strategies.None}.WithDefaults(),
	}
	change := map[string]func(){
		"transient":   func() { y.Restart = child.Transient },
		"temporary":   func() { y.Restart = child.Temporary },
		"significant": func() { y.Significant = true },
		"supervisor":  func() { y.Supervisor = true },
		"plain":       func() { y.Announces = false }, // its start takes no time
		"delayed":     func() { y.Backoff = strategies.Backoff{}.WithDefaults() },
		"jittered":    func() { y.Backoff = strategies.Backoff{Jitter: 0.5}.WithDefaults() },
		"leftover":    func() { c.Leftover = true }, // a run of an earlier life still lives
		"brutal":      func() { y.Grace = child.BrutalKill },
		"graceless":   func() { y.Grace = 0 },
		"infinite":    func() { y.Grace = child.Infinity },
		"patient":     func() { y.Patience = child.Infinity },
		"mortal":      func() { y.MaxRun = time.Minute }, // its longest run
		"escalate":    func() { y.Stuck = child.Escalate },
		"abandon":     func() { y.Stuck = child.Abandon },
		"slow":        func() { m.slow = true }, // ends only when it is killed
		"deaf":        func() { m.deaf = true }, // does not even then
	}
	for _, word := range fields[1:] {
		if change[word] == nil {
			p.t.Fatalf("what is %q?", word)
		}
		change[word]()
	}
	c.Policy = y
	return c
}

// input is one line's input: what happens to the supervisor, a call, or what a
// child does.
func (p *player) input(words []string) {
	p.t.Helper()
	switch op, rest := words[0], words[1:]; op {
	case "start":
		if len(rest) == 0 {
			p.take("start", p.m.Start(p.now))
			return
		}
		p.ask(&Request{Op: Start, Name: rest[0]}, rest)
	case "stop":
		p.take("stop", p.m.Stop(p.now))
	case "kill":
		p.killed = true
		p.take("kill all", p.m.KillAll(p.now))
	case "leave":
		p.take("leave", p.m.Leave(p.now))
	case "after":
		p.after(rest[0])
	case "dice":
		_, err := fmt.Sscan(rest[0], &p.m.Random)
		if err != nil {
			p.t.Fatal(err)
		}
	case "next": // how the next starts of a child go
		p.how[rest[0]].next = rest[1:]
	case "plan": // the same, of a child to come
		p.plan = rest
	case "terminate", "restart", "delete", "bounce", "hold":
		ops := map[string]Op{"terminate": Terminate, "restart": Restart, "delete": Delete, "bounce": Bounce, "hold": Hold}
		p.ask(&Request{Op: ops[op], Name: rest[0]}, rest)
	case "restart_all":
		p.ask(&Request{Op: RestartAll, Name: "all"}, append([]string{"all"}, rest...))
	default:
		p.act(p.m.Lookup(op), rest[0])
	}
}

// after lets time pass, and the machine's deadlines with it.
func (p *player) after(text string) {
	d, err := time.ParseDuration(text)
	if err != nil {
		p.t.Fatal(err)
	}
	for end := p.now + d; ; {
		at, ok := p.m.Deadline()
		if !ok || at > end {
			p.now = end
			return
		}
		p.now = at
		p.take("tick", p.m.Tick(p.now))
	}
}

// ask makes a call. Behind the name come the words about a new child, or "by"
// and the child that calls.
func (p *player) ask(r *Request, words []string) {
	if n := len(words); n > 2 && words[n-2] == "by" {
		r.Caller, words = p.m.Lookup(words[n-1]), words[:n-2]
	}
	if r.Op == Start {
		before := p.how[r.Name]
		r.Child = p.child(strings.Join(words, " "))
		if before != nil && p.m.Lookup(r.Name) != nil {
			p.how[r.Name] = before
		}
		if len(p.plan) > 0 && p.plan[0] == r.Name {
			p.how[r.Name].next, p.plan = p.plan[1:], nil
		}
	}
	p.call, p.asked[r] = r, 0
	p.take(fmt.Sprint(r.Op, " ", r.Name), p.m.Ask(r, p.now))
}

// act lets c do something.
func (p *player) act(c *Child, what string) {
	p.t.Helper()
	if c == nil {
		p.t.Fatalf("who %s?", what)
	}
	if what == "ready" {
		p.take(p.ready(c, p.current(c)))
		return
	}
	if what == "hangs" {
		p.take("fail "+c.Name, p.m.Fail(c, c.Incarnation, child.ByPing, p.now))
		return
	}
	exit, verdict := exitOf(what)
	p.exit(c, exit, verdict)
}

func exitOf(what string) (child.Exit, Verdict) {
	switch what {
	case "ends":
		return child.Exit{}, ByType
	case "fails":
		return child.Exit{Kind: child.Failed}, ByType
	case "lacks": // something, for now
		return child.Exit{Kind: child.StartFailed, Temporary: true}, ByType
	case "gave_up":
		return child.Exit{Kind: child.GaveUp}, ByType
	case "shut_down":
		return child.Exit{Kind: child.ShutDown}, ByType
	case "never":
		return child.Exit{Kind: child.Failed}, NeverAgain
	case "end_tree":
		return child.Exit{Kind: child.Failed}, EndTree
	case "must_restart":
		return child.Exit{}, Verdict(child.RestartIt)
	case "is_complete":
		return child.Exit{Kind: child.Failed}, Verdict(child.CompleteIt)
	case "escalates":
		return child.Exit{Kind: child.Failed}, Verdict(child.EscalateIt)
	}
	panic("what is " + what + "?")
}

// exit ends the run of c that the machine knows of, or the last one left
// behind.
func (p *player) exit(c *Child, exit child.Exit, v Verdict) {
	p.t.Helper()
	runs := p.runs[c]
	if len(runs) == 0 {
		p.failf("%s does not run", c.Name)
	}
	p.take(p.world.gone(c, runs[len(runs)-1], exit, v))
}

// take takes the machine's answer, and then what the children answer to that,
// until all is quiet.
func (p *player) take(what string, actions []Action) {
	p.t.Helper()
	for i := range actions {
		p.tell(&actions[i])
	}
	p.world.input(what, actions)
	for len(p.todo) > 0 {
		do := p.todo[0]
		p.todo = p.todo[1:]
		do()
	}
}

func (p *player) say(format string, args ...any) {
	p.said = append(p.said, fmt.Sprintf(format, args...))
}

var causeWords = [...]string{
	Asked: "asked", Automatic: "automatic", GaveUp: "gave_up", InitFailed: "init_failed", Terminated: "terminated",
}

// tell writes an action down and has its child answer it.
func (p *player) tell(a *Action) {
	c := a.Child
	switch a.Do {
	case Launch:
		p.say("+%s", c.Name)
		p.begin(c)
	case Tell:
		p.say("-%s", c.Name)
		if m := p.how[c.Name]; !m.slow && !m.deaf {
			p.later(c, child.Exit{})
		}
	case Kill:
		p.say("!%s", c.Name)
		if m := p.how[c.Name]; m.slow {
			p.later(c, child.Exit{Kind: child.Failed})
		}
	case Detach:
		p.say("~%s", c.Name)
	case Forget:
		p.say("gone:%s", c.Name)
	case Reply:
		p.answer(a.Request)
	case Complete:
		p.say("up")
	case Blocked:
		p.say("blocked")
	case Over:
		why := "over:" + causeWords[p.m.End().Cause]
		if by := p.m.End().Child; by != nil {
			why += ":" + by.Name
		}
		p.say("%s", why)
	case Note:
		p.note(a)
	}
}

func (p *player) note(a *Action) {
	switch a.What {
	case IsStuck:
		p.say("stuck:%s", a.Child.Name)
	case Quit:
		p.say("quit:%s", a.Child.Name)
	case Exited:
		if a.Wait > 0 {
			p.say("%s@%v", a.Child.Name, a.Wait)
		}
	}
}

func (p *player) answer(r *Request) {
	words := map[error]string{
		nil: "ok", ErrNotFound: "not_found", ErrRunning: "running", ErrRestarting: "restarting",
		ErrAlreadyStarted: "already_started", ErrAlreadyPresent: "already_present", ErrDynamic: "simple_one_for_one",
		ErrMaxChildren: "max_children", ErrStarting: "starting", ErrStopped: "stopped",
		ErrStartFailed: "start_failed", ErrInterrupted: "interrupted",
	}
	if r == p.call {
		p.say("%s", words[r.Err])
		return
	}
	ops := [...]string{
		Start: "start", Terminate: "terminate", Restart: "restart", Delete: "delete",
		Bounce: "bounce", RestartAll: "restart", Hold: "hold",
	}
	p.say("%s:%s=%s", ops[r.Op], r.Name, words[r.Err])
}

// later ends c's run once the machine's answer has been taken.
func (p *player) later(c *Child, exit child.Exit) {
	incarnation := c.Incarnation
	p.todo = append(p.todo, func() {
		if c.Live() && c.Incarnation == incarnation {
			p.exit(c, exit, ByType)
		}
	})
}

// begin lets a run that announces its readiness do what it is to do next.
func (p *player) begin(c *Child) {
	m := p.how[c.Name]
	if !c.Policy.Announces {
		return
	}
	how := "ready"
	if len(m.next) > 0 {
		how, m.next = m.next[0], m.next[1:]
	}
	incarnation := c.Incarnation
	p.todo = append(p.todo, func() {
		if c.State != Starting || c.Incarnation != incarnation {
			return
		}
		switch how {
		case "ready":
			p.take(p.ready(c, p.current(c)))
		case "hold": // the script says when it is ready
		case "ignore":
			p.say("o%s", c.Name)
			p.exit(c, child.Exit{Kind: child.Failed}, NeverAgain)
		default:
			p.say("x%s", c.Name)
			exit, v := exitOf(how)
			p.exit(c, exit, v)
		}
	})
}
