package supervisor

import (
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/strategies"
	"github.com/coppice-go/coppice/supervisor/internal/machine"
)

// plan is a spec that has been checked: the user's types were asked once.
type plan struct {
	spec Spec // as given, without Children
	kids []kid
}

// kid is the plan of a child.
type kid struct {
	spec   child.Specer // a child.Spec
	policy *machine.Policy
}

// makePlan checks s and all that is below it.
func makePlan(s Spec) (*plan, error) {
	v := &validator{policies: policies{}}
	path := s.Name
	if badName(path) != "" {
		path = "the root"
	}
	v.name(path, s.Name)
	p := v.supervisor(s, path, 1)
	if len(v.mistakes) > 0 {
		return nil, &InvalidError{v.mistakes}
	}
	return p, nil
}

// planChild checks one child that is to be added to the supervisor sup at path.
func planChild(sup *Spec, path string, c child.Specer) (kid, error) {
	v := &validator{policies: policies{}}
	k := v.child(sup, c, path, 0, 1, map[string]int{})
	if len(v.mistakes) > 0 {
		return kid{}, &InvalidError{v.mistakes}
	}
	return k, nil
}

// policies makes children that are alike share one policy.
type policies map[machine.Policy]*machine.Policy

func (p policies) intern(policy machine.Policy) *machine.Policy {
	shared := p[policy]
	if shared == nil {
		shared = new(machine.Policy)
		*shared = policy
		p[policy] = shared
	}
	return shared
}

// policyOf is what the machine has to know of s, its defaults in their places,
// and what the service itself has to say: whether it calls Ready, and decides.
func policyOf(s child.Spec, backoff strategies.Backoff, calls, decides bool) machine.Policy {
	if s.Backoff != (strategies.Backoff{}) {
		backoff = s.Backoff
	}
	calls = calls || s.Ready.Call
	p := machine.Policy{
		Restart: s.Restart, Stuck: s.Stuck, Supervisor: supervises(s), Significant: s.Significant,
		Announces: calls || s.Ready.Probe != nil || s.Ready.After > 0, Calls: calls,
		Decides: decides, OwnThread: s.OwnThread, Watched: watchedBy(s), MaxRun: s.Liveness.MaxRun,
		Kills: kills(s), Readiness: s.Ready.Call || s.Ready.Probe != nil || s.Ready.After > 0,
		Grace: s.Shutdown, Patience: patienceOf(s), Backoff: backoff.WithDefaults(),
	}
	if p.Grace == 0 && p.Supervisor {
		p.Grace = child.Infinity
	} else if p.Grace == 0 {
		p.Grace = child.DefaultShutdown
	}
	return p
}

// supervises reports whether the service of s is a supervisor.
func supervises(s child.Spec) bool {
	_, sub := s.Run.(*subtree)
	_, whole := s.Run.(*Supervisor)
	return sub || whole
}

// kills reports whether a run of s dies when it is killed, as a process does.
func kills(s child.Spec) bool {
	k, is := s.Run.(interface{ Kills() bool })
	return is && k.Kills()
}

// patienceOf is how long one attempt to start s may take.
func patienceOf(s child.Spec) time.Duration {
	switch {
	case s.Ready.Patience != 0:
		return s.Ready.Patience
	case supervises(s):
		return child.Infinity
	}
	return child.DefaultPatience
}
