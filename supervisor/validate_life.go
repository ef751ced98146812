package supervisor

import (
	"time"

	"github.com/coppice-go/coppice/child"
)

// lasts checks a length of time.
func (v *validator) lasts(at, field string, d time.Duration) {
	if d < 0 {
		v.wrong(at, field, d, "must not be negative")
	}
}

// readiness checks what a start waits for.
func (v *validator) readiness(at string, r child.Readiness) {
	v.lasts(at, "Ready.After", r.After)
	v.lasts(at, "Ready.Timeout", r.Timeout)
	v.lasts(at, "Ready.Interval", r.Interval)
	v.lasts(at, "Ready.Patience", r.Patience)
	if r.Probe == nil {
		v.useless(at, "Ready.Timeout", r.Timeout, "without a Probe")
		v.useless(at, "Ready.Interval", r.Interval, "without a Probe")
	}
}

// useless refuses what would be said in vain.
func (v *validator) useless(at, field string, d time.Duration, why string) {
	if d > 0 {
		v.wrong(at, field, d, "has no meaning "+why)
	}
}

// liveness checks by what signs a run is taken for alive, and that its start
// has the time for what it waits for.
func (v *validator) liveness(at string, s child.Spec) {
	l := s.Liveness
	if patience := patienceOf(s); s.Ready.After >= patience && patience > 0 {
		v.wrong(at, "Ready.After", s.Ready.After, "is not before the patience of "+patience.String()+" is over")
	}
	v.lasts(at, "Liveness.Timeout", l.Timeout)
	v.lasts(at, "Liveness.Silence", l.Silence)
	v.lasts(at, "Liveness.Interval", l.Interval)
	v.lasts(at, "Liveness.MaxRun", l.MaxRun)
	if l.Failures < 0 {
		v.wrong(at, "Liveness.Failures", l.Failures, "must not be negative")
	}
	watched := v.watched(at, s)
	if watched.Ping == nil {
		v.useless(at, "Liveness.Silence", l.Silence, "without a Ping; Timeout says it")
		v.useless(at, "Liveness.Interval", l.Interval, "without a Ping")
		if l.Failures > 0 {
			v.wrong(at, "Liveness.Failures", l.Failures, "has no meaning without a Ping")
		}
	}
	if !watched.IsZero() && s.Stuck == child.Wait && !s.Kills() {
		why := "a goroutine cannot be killed: with a Liveness choose escalate or abandon"
		if child.IsFresh(s.Run) {
			why += "; whether what Fresh makes can be killed is not known: a service that can needs no Fresh"
		}
		v.wrong(at, "Stuck", s.Stuck, why)
	}
}

// watched asks the service, which is the user's and may panic.
func (v *validator) watched(at string, s child.Spec) (l child.Liveness) {
	defer func() {
		if p := recover(); p != nil {
			v.wrong(at, "Run", child.NameOf(s.Run), "its Pings panicked: "+child.Recovered(p).Error())
		}
	}()
	return s.Watched()
}
