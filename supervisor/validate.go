package supervisor

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/strategies"
	"github.com/coppice-go/coppice/supervisor/internal/machine"
)

// A SpecError is one mistake in a spec.
type SpecError struct {
	// Path is the place of the spec, by names; a child without a good name is
	// [i] after its position.
	Path string
	// Field is the name of the field, as in Intensity.Restarts.
	Field string
	// Value is what the field holds, as text.
	Value string
	// Reason says what is wrong with it.
	Reason string
}

// Error names path, field, value and reason.
func (e *SpecError) Error() string {
	return fmt.Sprintf("%s: %s: %s: %s", e.Path, e.Field, e.Value, e.Reason)
}

// An InvalidError holds every mistake of a tree. Nothing of it has started.
type InvalidError struct {
	// Mistakes are in the order of the tree.
	Mistakes []*SpecError
}

// Error names all mistakes, one a line if there are several.
func (e *InvalidError) Error() string {
	lines := make([]string, len(e.Mistakes))
	for i, m := range e.Mistakes {
		lines[i] = m.Error()
	}
	return "supervisor: invalid spec: " + strings.Join(lines, "\n\t")
}

// Unwrap lists the mistakes.
func (e *InvalidError) Unwrap() []error {
	errs := make([]error, len(e.Mistakes))
	for i, m := range e.Mistakes {
		errs[i] = m
	}
	return errs
}

// Validate reports every mistake in s and all that is below it as an
// [*InvalidError], or nil. It calls ChildSpec of every child, and Validate of
// every service that has such a method, and starts nothing.
func (s Spec) Validate() error {
	_, err := makePlan(s)
	return err
}

// maxDepth is how deep a tree may be. A spec that reaches itself through a
// pointer would be deeper.
const maxDepth = 1000

// validator checks a tree and plans it.
type validator struct {
	mistakes []*SpecError
	policies policies
	tooDeep  bool // nothing more is looked at: there might be no end of it
}

func (v *validator) wrong(path, field string, value any, reason string) {
	v.mistakes = append(v.mistakes, &SpecError{path, field, fmt.Sprint(value), reason})
}

// field takes over an error of package strategies, or several joined.
func (v *validator) field(path string, err error) {
	var f *strategies.FieldError
	switch joined := err.(type) { //nolint:errorlint // the joined errors are what is wanted
	case interface{ Unwrap() []error }:
		for _, err := range joined.Unwrap() {
			v.field(path, err)
		}
	default:
		if errors.As(err, &f) {
			v.wrong(path, f.Field, f.Value, f.Reason)
		}
	}
}

func (v *validator) name(path, name string) {
	if reason := badName(name); reason != "" {
		v.wrong(path, "Name", quoted(name), reason)
	}
}

// quoted is a name, or the beginning of one that is too long, in one line.
func quoted(name string) string {
	if len(name) > maxName {
		return fmt.Sprintf("%q...", name[:maxName])
	}
	return strconv.Quote(name)
}

// maxName is how long a name may be.
const maxName = 63

// badName says what is wrong with a name: it becomes a label, a file, a cgroup.
func badName(name string) string {
	switch {
	case name == "":
		return "must not be empty"
	case len(name) > maxName:
		return fmt.Sprintf("is %d bytes long; at most %d are allowed", len(name), maxName)
	case name[0] == '.' || name[0] == '-':
		return "must not begin with a dot or a dash"
	}
	for _, r := range name {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		if !letter && r != '.' && r != '_' && r != '-' {
			return fmt.Sprintf("holds %q; letters, digits, '.', '_' and '-' are allowed", r)
		}
	}
	return ""
}

// supervisor checks a supervisor's spec and what is below it.
func (v *validator) supervisor(s Spec, path string, depth int) *plan {
	v.field(path, s.Strategy.Validate())
	v.field(path, s.Intensity.Validate())
	v.field(path, s.Backoff.Validate())
	if int(s.AutoShutdown) >= len(autoWords) {
		v.wrong(path, "AutoShutdown", s.AutoShutdown, "is none of the constants")
	}
	if depth == 1 {
		v.policy(path, s.Restart, s.Shutdown, s.Ready)
	}
	switch {
	case s.MaxChildren < 0:
		v.wrong(path, "MaxChildren", s.MaxChildren, "must not be negative")
	case s.MaxChildren > 0 && s.Template == nil && len(s.Children) > s.MaxChildren:
		v.wrong(path, "MaxChildren", s.MaxChildren, fmt.Sprintf("is less than the %d Children", len(s.Children)))
	}
	v.template(s, path)
	p := &plan{spec: s, kids: make([]kid, len(s.Children))}
	p.spec.Children = nil
	if depth == maxDepth {
		v.wrong(path, "Children", len(s.Children), "the tree is too deep; does it contain itself?")
		v.tooDeep = true
		return p
	}
	seen := make(map[string]int, len(s.Children))
	for i, c := range s.Children {
		if v.tooDeep {
			break
		}
		p.kids[i] = v.child(&s, c, path, i, depth, seen)
	}
	return p
}

// template checks what goes with a Template and what does not.
func (v *validator) template(s Spec, path string) {
	switch {
	case s.Template == nil && s.Strategy == strategies.SimpleOneForOne:
		v.wrong(path, "Strategy", s.Strategy, "needs a Template")
	case s.Template == nil:
		return
	case len(s.Children) > 0:
		v.wrong(path, "Children", len(s.Children), "a supervisor with a Template has no Children of its own")
	}
	if s.Strategy != strategies.OneForOne && s.Strategy != strategies.SimpleOneForOne && s.Strategy.Validate() == nil {
		v.wrong(path, "Strategy", s.Strategy, "a supervisor with a Template is one_for_one")
	}
	if s.Template != nil && s.AutoShutdown != Never {
		v.wrong(path, "AutoShutdown", s.AutoShutdown, "a supervisor with a Template has no significant children")
	}
}

// child checks one child and plans it.
func (v *validator) child(sup *Spec, c child.Specer, path string, i, depth int, seen map[string]int) kid {
	spec, err := specOf(c)
	at := fmt.Sprintf("%s[%d]", path, i)
	if err != nil {
		v.wrong(at, "Children", child.NameOf(c), err.Error())
		return kid{}
	}
	v.name(at, spec.Name)
	if badName(spec.Name) == "" {
		at = path + "/" + spec.Name
		if first, ok := seen[spec.Name]; ok {
			v.wrong(at, "Name", quoted(spec.Name), fmt.Sprintf("is taken by the child at position %d", first))
		}
		seen[spec.Name] = i
	}
	policy := v.policies.intern(v.worker(sup, spec, at))
	sub, ok := spec.Run.(*subtree)
	if !ok {
		if _, same := c.(child.Spec); same {
			return kid{c, policy}
		}
		return kid{spec, policy}
	}
	spec.Run = &subtree{spec: sub.spec, plan: v.supervisor(sub.spec, at, depth+1)}
	return kid{spec, policy}
}

// specOf asks c for its spec. A type of the user's may panic.
func specOf(c child.Specer) (spec child.Spec, err error) {
	if c == nil {
		return spec, errors.New("must not be nil")
	}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("its ChildSpec panicked: %w", child.Recovered(p))
		}
	}()
	return c.ChildSpec(), nil
}

// worker checks the fields of a child's spec but its name, and makes a policy
// of them, unless there is a mistake.
func (v *validator) worker(sup *Spec, s child.Spec, at string) machine.Policy {
	before := len(v.mistakes)
	announces, decides := v.service(at, s)
	v.policy(at, s.Restart, s.Shutdown, s.Ready)
	v.field(at, s.Backoff.Validate())
	v.liveness(at, s)
	if s.Stuck > child.Abandon {
		v.wrong(at, "Stuck", s.Stuck, "is none of the constants")
	}
	switch {
	case !s.Significant:
	case sup.AutoShutdown == Never:
		v.wrong(at, "Significant", true, "its supervisor has no AutoShutdown")
	case s.Restart == child.Permanent:
		v.wrong(at, "Significant", true, "a permanent child never ends")
	}
	if len(v.mistakes) > before {
		return machine.Policy{}
	}
	return policyOf(s, sup.Backoff, announces, decides)
}

// service asks a service what it has to say of itself, once and for all: one
// that can check itself, as a process's command can, or the spec that it stands
// in; whether it announces the end of its start, and decides over its exits.
func (v *validator) service(at string, s child.Spec) (announces, decides bool) {
	missing := false
	v.ask(at, s.Run, "IsNil", func() error { missing = child.Missing(s.Run); return nil })
	if missing {
		v.wrong(at, "Run", child.NameOf(s.Run), "must not be nil")
		return false, false
	}
	if c, ok := s.Run.(interface{ Validate() error }); ok {
		v.ask(at, s.Run, "Validate", c.Validate)
	}
	if c, ok := s.Run.(interface{ ValidateSpec(child.Spec) error }); ok {
		v.ask(at, s.Run, "ValidateSpec", func() error { return c.ValidateSpec(s) })
	}
	if a, ok := s.Run.(child.Announcer); ok {
		v.ask(at, s.Run, "Announces", func() error { announces = a.Announces(); return nil })
	}
	v.ask(at, s.Run, "Decides", func() error { decides = s.Decider() != nil; return nil })
	return announces, decides
}

// ask asks a service of the user's, which may panic.
func (v *validator) ask(at string, s child.Service, method string, f func() error) {
	defer func() {
		if p := recover(); p != nil {
			v.wrong(at, "Run", child.NameOf(s), "its "+method+" panicked: "+child.Recovered(p).Error())
		}
	}()
	if err := f(); err != nil {
		v.wrong(at, "Run", child.NameOf(s), child.ExitOf(err).Text())
	}
}

// policy checks what a worker and a supervisor have in common.
func (v *validator) policy(at string, r child.Restart, grace time.Duration, ready child.Readiness) {
	if r > child.Temporary {
		v.wrong(at, "Restart", r, "is none of the constants")
	}
	if grace < child.BrutalKill {
		v.wrong(at, "Shutdown", grace, "must not be negative")
	}
	v.readiness(at, ready)
}
