package childtest

import (
	"errors"
	"fmt"
	"time"

	"github.com/coppice-go/coppice/child"
)

// Options says what the contract is for one service. The zero value is for a
// service that stays until it is told to stop.
type Options struct {
	// Grace is how long the service may take for one step: to be ready, to
	// return after it was told to stop, to return after it was killed.
	// Optional; zero is [child.DefaultShutdown].
	Grace time.Duration

	// Watch is how long the suite looks on where nothing shall happen: whether
	// a run stays, and whether the goroutines of one that returned have gone.
	// Optional; zero is a tenth of a second.
	Watch time.Duration

	// Once says that the service is a job, whose Serve may return before it is
	// told to stop. Optional.
	Once bool

	// Ready says that the service calls [child.Ready], as one must whose spec
	// has a [child.Readiness] with Call. It need not be set for a
	// [child.Announcer]. Optional.
	Ready bool
}

// defaultWatch is long for a computer and short for who waits for a test.
const defaultWatch = 100 * time.Millisecond

func (o Options) withDefaults() Options {
	if o.Grace <= 0 {
		o.Grace = child.DefaultShutdown
	}
	if o.Watch <= 0 {
		o.Watch = defaultWatch
	}
	return o
}

// ErrStop is the cause with which the suite ends a context. It is one of the
// answers that a service may give.
var ErrStop = errors.New("childtest: told to stop")

// A Violation is one case of the contract that a service does not keep.
type Violation struct {
	// Case is the name of the case, as in the package's documentation.
	Case string
	// What is what the service did.
	What string
	// Why is why that matters.
	Why string
	// Exit is how the run ended in which it was seen; it is the zero value for
	// a run that did not end.
	Exit child.Exit
}

// Error says which case, what was seen, and why it matters.
func (v *Violation) Error() string {
	return fmt.Sprintf("childtest: %s: %s; %s", v.Case, v.What, v.Why)
}

// Unwrap is the exit of the run, if that is an error.
func (v *Violation) Unwrap() error { return v.Exit.AsError() }

// Test runs services that newService makes through all cases of the contract and
// returns nil, or one *[Violation] for each case that was violated, joined by
// [errors.Join]. It is an error of its own if newService makes no
// service.
//
// Each run is served in a goroutine of its own with a context that has a
// [child.Runtime]; what is logged and published there is dropped. The service
// is made anew for each case but "restart". A run that does not end when it is
// killed is left behind; if that is the first run, the other cases are left out.
// Within a bubble of testing/synctest such a run has to be let go before the
// bubble ends, and a service that waits for something outside the bubble stops
// its clock.
//
// The goroutines of a run are found by their pprof label, which they inherit; a
// goroutine that takes all labels off, or that somebody else started for the
// run, is not seen. Several calls of Test may run at the same time.
func Test(newService func() child.Service, o Options) error {
	s := suite{newService: newService, options: o.withDefaults()}
	service := newService()
	if child.Missing(service) {
		return errors.New("childtest: newService made no service")
	}
	s.test(service)
	return errors.Join(s.violations...)
}

// suite is one call of Test.
type suite struct {
	newService func() child.Service
	options    Options
	first      *life // of the first run, to which the others are compared
	violations []error
}

// test runs through all cases. A first run that even a kill does not end may
// hold what any other needs.
func (s *suite) test(service child.Service) {
	s.first = s.live(service, 1, manner{})
	for _, f := range s.first.faults {
		s.report(f.rule, f.what, s.first)
	}
	if s.first.immortal {
		return
	}
	if !s.first.never {
		s.compare("restart", s.live(service, 2, manner{}))
	}
	s.compare("killed", s.live(s.newService(), 1, manner{killed: true}))
	s.compare("ended", s.live(s.newService(), 1, manner{ended: true}))
	s.compare("together", s.pair()...)
}

// live is one run of a service from its start to its end.
func (s *suite) live(service child.Service, incarnation uint64, m manner) *life {
	r := begin(service, incarnation, m)
	s.settle(r)
	return s.end(r)
}

// pair runs two services at the same time. One goes on when the other ends.
func (s *suite) pair() []*life {
	a, b := begin(s.newService(), 1, manner{}), begin(s.newService(), 1, manner{})
	s.settle(a)
	s.settle(b)
	ended := s.end(a)
	within(b.done, s.options.Watch)
	return []*life{ended, s.end(b)}
}

// compare reports what lives did wrong that the first did right.
func (s *suite) compare(name string, lives ...*life) {
	for _, l := range lives {
		for _, f := range l.faults {
			if !s.first.has(f.rule) {
				s.report(name, f.what, l)
				return
			}
		}
	}
}

func (s *suite) report(name, what string, l *life) {
	s.violations = append(s.violations, &Violation{Case: name, What: what, Why: reasons[name], Exit: l.exit})
}

// reasons say why a case matters.
var reasons = map[string]string{
	"panic":      "what a run was doing is lost, and where panics are not recovered the program ends",
	"stays":      "a supervisor takes that for an end, and starts it again until that is too often (a job says Once)",
	"ready":      "its supervisor waits for that, starts nothing after it meanwhile, and takes the start for failed in the end",
	"stop":       "a goroutine cannot be killed: a run that does not end holds up the stop of the tree, and its own restart",
	"answer":     "anything else is reported as an error whenever the tree is stopped",
	"goroutines": "they go on beside the next run, and each restart leaves more of them",
	"killed":     "when the grace is over, only the service itself can end what it guards",
	"ended":      "a tree may be stopped while it starts",
	"restart":    "that is what a supervisor is for; where runs can share nothing, child.Fresh makes a new service for each",
	"together":   "what services share without knowing it, such as a global variable, brings one down with the other",
}
