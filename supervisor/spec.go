package supervisor

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/strategies"
	"github.com/coppice-go/coppice/supervisor/internal/machine"
)

// AutoShutdown says whether a supervisor ends by itself when its significant
// children have ended (OTP's auto_shutdown). The zero value is [Never].
type AutoShutdown uint8

const (
	// Never: the ends of children do not end the supervisor.
	Never = AutoShutdown(machine.Never)
	// AnySignificant: the first significant child that ends, and is not
	// restarted, ends the supervisor.
	AnySignificant = AutoShutdown(machine.AnySignificant)
	// AllSignificant: the last one does.
	AllSignificant = AutoShutdown(machine.AllSignificant)
)

var autoWords = [...]string{Never: "never", AnySignificant: "any_significant", AllSignificant: "all_significant"}

// String is OTP's word.
func (a AutoShutdown) String() string {
	if int(a) < len(autoWords) {
		return autoWords[a]
	}
	return "AutoShutdown(" + strconv.Itoa(int(a)) + ")"
}

// MarshalText is [AutoShutdown.String]; an unknown value is an error.
func (a AutoShutdown) MarshalText() ([]byte, error) {
	if int(a) >= len(autoWords) {
		return nil, errors.New("supervisor: unknown " + a.String())
	}
	return []byte(a.String()), nil
}

// UnmarshalText reads OTP's word; an unknown one is an error.
func (a *AutoShutdown) UnmarshalText(text []byte) error {
	for i, word := range autoWords {
		if word == string(text) {
			*a = AutoShutdown(i)
			return nil
		}
	}
	return errors.New("supervisor: AutoShutdown: unknown word " + strconv.Quote(string(text)))
}

// Spec says what a supervisor is: how it treats its children, which they are,
// and how it is treated itself under its parent. It is data, as a child's Spec
// is, and a [child.Specer], so that supervisors nest.
type Spec struct {
	// Name is the supervisor's name among its siblings, and the first part of
	// every path if it is the root. The rule is that of a child's name. Required.
	Name string
	// Strategy says which siblings share the fate of a child that failed.
	// Optional; zero is OneForOne.
	Strategy strategies.Strategy
	// Intensity is how many restarts are too many. Optional; the zero value is
	// three in ten seconds for each child.
	Intensity strategies.Intensity
	// Backoff is for the children whose spec has none. Optional; with the zero
	// value a run shorter than 1 s waits 1 s, 2 s, 4 s and so on up to 5 min.
	// The supervisor's own restarts follow its parent's Backoff.
	Backoff strategies.Backoff
	// AutoShutdown says whether the supervisor ends with its significant
	// children. Optional; zero is Never.
	AutoShutdown AutoShutdown
	// Children are started in this order and stopped in the reverse order.
	// Optional: a supervisor may be empty.
	Children []child.Specer
	// Template makes a dynamic supervisor (OTP's simple_one_for_one): it has no
	// Children, and StartChild gives it an argument that Template makes a child
	// of. It is called in the goroutine of StartChild. A spec without a name
	// gets a number for one. Optional.
	Template func(arg any) child.Spec
	// MaxChildren is how many children may be there at once, those that wait
	// for a restart included. Optional; zero is no limit.
	MaxChildren int
	// StopTogether stops the children all at once instead of one after the
	// other. Optional; a dynamic supervisor always does.
	StopTogether bool

	// Restart says when the supervisor is restarted by its parent. Optional;
	// zero is Permanent. The root has no parent.
	Restart child.Restart
	// Shutdown is the grace of the supervisor's own stop. Optional; zero is
	// child.Infinity, and for the root [RootShutdown].
	Shutdown time.Duration
	// Significant is for the parent's AutoShutdown. Optional.
	Significant bool
	// Ready bounds, by its Patience, how long the start of all children may
	// take, and may name more to wait for once they have started. Optional;
	// zero is without a bound, each child having its own.
	Ready child.Readiness
}

// RootShutdown is the budget of the whole tree's stop if the root's spec has no
// Shutdown: less than the thirty seconds that Kubernetes grants.
const RootShutdown = 25 * time.Second

// ChildSpec is the supervisor as a child of another.
func (s Spec) ChildSpec() child.Spec {
	return child.Spec{
		Name: s.Name, Run: &subtree{spec: s}, Restart: s.Restart,
		Shutdown: s.Shutdown, Significant: s.Significant, Ready: s.Ready,
	}
}

// subtree is the service of a nested supervisor.
type subtree struct {
	spec Spec
	plan *plan // made by the validation of the tree that it is in
}

var errForeign = errors.New("supervisor: the spec of a nested supervisor was not started by a coppice supervisor; use New")

// Serve runs the supervisor as a node of the tree that ctx belongs to.
func (s *subtree) Serve(ctx context.Context) error {
	r := runOf(ctx)
	if r == nil || s.plan == nil {
		return errForeign
	}
	return serveNested(ctx, r, s.plan)
}

// Announces: the start of a supervisor is complete when its children's are.
func (s *subtree) Announces() bool { return true }

// String is the supervisor's name.
func (s *subtree) String() string { return "supervisor " + s.spec.Name }

// Equal reports whether s and t hold the same data. Services and functions
// count as equal if they have the same name.
func (s Spec) Equal(t Spec) bool { return s.Data().Equal(t.Data()) }

// Data is what of s can be shown: every field that is not zero, services and
// functions by name.
func (s Spec) Data() child.Data {
	var d child.Data
	d.Add("name", s.Name, s.Name != "")
	d.Add("strategy", s.Strategy.String(), s.Strategy != strategies.OneForOne)
	d.Add("intensity", s.Intensity.String(), s.Intensity != (strategies.Intensity{}))
	d.Add("backoff", s.Backoff.String(), s.Backoff != (strategies.Backoff{}))
	d.Add("auto_shutdown", s.AutoShutdown.String(), s.AutoShutdown != Never)
	d.Add("template", child.NameOf(s.Template), s.Template != nil)
	d.Add("max_children", s.MaxChildren, s.MaxChildren != 0)
	d.Add("stop_together", true, s.StopTogether)
	d.Add("restart", s.Restart.String(), s.Restart != child.Permanent)
	d.Add("shutdown", child.Grace(s.Shutdown), s.Shutdown != 0)
	d.Add("significant", true, s.Significant)
	d.Add("ready", s.Ready.Data(), !s.Ready.IsZero())
	children := make([]child.Data, len(s.Children))
	for i, c := range s.Children {
		children[i] = specData(c)
	}
	d.Add("children", children, len(children) > 0)
	return d
}

// specData is the data of one child, a supervisor's or a worker's.
func specData(c child.Specer) child.Data {
	switch c := c.(type) {
	case nil:
		return nil
	case Spec:
		return c.Data()
	case child.Spec:
		return c.Data()
	}
	return child.Data{{Key: "type", Value: child.NameOf(c)}}
}

// String shows the data of s.
func (s Spec) String() string { return s.Data().String() }

// GoString shows the data of s, so that %#v does not look into live services.
func (s Spec) GoString() string { return "supervisor.Spec" + s.Data().String() }

// LogValue shows the data of s as a group.
func (s Spec) LogValue() slog.Value { return s.Data().LogValue() }

// MarshalJSON shows the data of s as an object.
func (s Spec) MarshalJSON() ([]byte, error) { return s.Data().MarshalJSON() }
