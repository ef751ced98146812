package systemd

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/coppice-go/coppice/supervisor"
)

// tree is a root in a state, and children in theirs.
func tree(root supervisor.State, children ...supervisor.State) *supervisor.Status {
	s := &supervisor.Status{Name: "root", Supervisor: true, State: root}
	for _, state := range children {
		s.Children = append(s.Children, supervisor.Status{State: state})
	}
	return s
}

const (
	starting   = supervisor.Starting
	running    = supervisor.Running
	restarting = supervisor.Restarting
	stopping   = supervisor.Stopping
)

func TestReadyIsSaidOnceWhenAllChildrenHaveStarted(t *testing.T) {
	var tell teller
	for i, step := range []struct {
		root *supervisor.Status
		want string
	}{
		{tree(starting, running, starting), "STATUS=starting: 1 of 2 children running, 1 starting"},
		{tree(starting, running, running), "STATUS=starting: 2 children running"},
		{tree(running, running, running), "READY=1\nSTATUS=2 children running"},
		{tree(running, running, restarting), "STATUS=1 of 2 children running, 1 restarting"},
		{tree(running, running, running), "STATUS=2 children running"},
		{tree(running, running, running), ""},
	} {
		if got := tell.look(time.Unix(int64(10*i), 0), step.root, 0); got != step.want {
			t.Errorf("step %d: got %q, want %q", i, got, step.want)
		}
	}
}

func TestTheWatchdogIsFedAtHalfItsTimeWhileTheTreeIsHealthy(t *testing.T) {
	fed := func(tell *teller, at time.Duration, root *supervisor.Status) bool {
		return strings.Contains(tell.look(time.Unix(0, 0).Add(at), root, 0), "WATCHDOG=1")
	}
	tell := teller{beat: 2 * time.Second} // of four
	for _, step := range []struct {
		at   time.Duration
		root *supervisor.Status
		want bool
	}{
		{0, tree(starting), true},
		{1900 * time.Millisecond, tree(running), false},
		{2 * time.Second, tree(running, restarting), true},
		{3 * time.Second, tree(running), false},
		{4 * time.Second, tree(running, supervisor.Stuck), true},
		{6 * time.Second, tree(stopping), false},
		{8 * time.Second, tree(supervisor.Down), false},
		{10 * time.Second, tree(supervisor.Exited), false},
	} {
		if got := fed(&tell, step.at, step.root); got != step.want {
			t.Errorf("at %v: fed %v, want %v", step.at, got, step.want)
		}
		if next := tell.next(time.Unix(0, 0).Add(step.at)); !tell.stopping && next.After(time.Unix(0, 0).Add(step.at+2*time.Second)) {
			t.Errorf("at %v: the next look is too late", step.at)
		}
	}
	if fed(new(teller), time.Hour, tree(running)) {
		t.Error("one that nobody waits for was fed")
	}
}

func TestTheStatusFollowsTheTreeAndIsToldAtMostOnceASecond(t *testing.T) {
	var tell teller
	at := func(ms int) time.Time { return time.Unix(100, 0).Add(time.Duration(ms) * time.Millisecond) }
	if got := tell.look(at(0), tree(running, running), 0); got != "READY=1\nSTATUS=1 child running" {
		t.Errorf("got %q", got)
	}
	if got := tell.look(at(999), tree(running, restarting), 0); got != "" {
		t.Errorf("too soon: got %q", got)
	}
	if got := tell.next(at(999)); !got.Equal(at(1000)) {
		t.Errorf("the next look is at %v", got)
	}
	if got := tell.look(at(1000), tree(running, restarting), 0); got != "STATUS=0 of 1 children running, 1 restarting" {
		t.Errorf("got %q", got)
	}
	if got := tell.next(at(1000)); !got.IsZero() {
		t.Errorf("nothing waits, and the next look is at %v", got)
	}
}

func TestAStatusCountsWhatIsNotASupervisor(t *testing.T) {
	root := tree(running, running, running)
	root.Children[1] = *tree(running, running, stopping, supervisor.Down)
	root.Children = append(root.Children, supervisor.Status{Supervisor: true, State: restarting})
	if got, want := statusOf(root), "2 of 5 children running, 1 restarting, 1 stopping, 1 down"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := statusOf(tree(running)); got != "0 children running" {
		t.Errorf("got %q", got)
	}
}

func TestStoppingIsSaidAtTheBeginningOfAStopWithTheTimeThatItMayTake(t *testing.T) {
	var tell teller
	if got := tell.look(time.Unix(1, 0), tree(stopping, running), 26*time.Second); got != "STOPPING=1\nEXTEND_TIMEOUT_USEC=26000000\nSTATUS=stopping: 1 child running" {
		t.Errorf("got %q", got)
	}
	if got := tell.look(time.Unix(2, 0), tree(stopping, stopping), 26*time.Second); got != "STATUS=stopping: 0 of 1 children running, 1 stopping" {
		t.Errorf("got %q", got)
	}
	if got := tell.end(errors.New("gave\x00up\nat\tlast \xff")); got != "STATUS=gave up at last ?" {
		t.Errorf("got %q", got)
	}
	var unbounded teller
	if got := unbounded.look(time.Unix(1, 0), tree(stopping), 0); strings.Contains(got, "EXTEND") {
		t.Errorf("without a bound: got %q", got)
	}
}

func TestAStopThatIsOverAtOnceIsSaidToo(t *testing.T) {
	var tell teller
	tell.look(time.Unix(1, 0), tree(running), 0)
	if got := tell.end(nil); got != "STOPPING=1\nSTATUS=stopped" {
		t.Errorf("got %q", got)
	}
	long := tell.end(errors.New(strings.Repeat("ä", 400)))
	if !strings.HasSuffix(long, "ä...") || len(long) > maxReason+40 {
		t.Errorf("got %d bytes: %q", len(long), long)
	}
}
