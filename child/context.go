package child

import (
	"context"
	"errors"
	"log/slog"
)

// Runtime is what a supervisor puts behind the context of a run. The functions
// of this package that take a context reach it; a service has no need of it.
// All its methods may be called from any goroutine at any time, also after the
// run has ended; they then do nothing.
//
// A service that stands between its supervisor and another service, and gives
// that a Runtime of its own, has a method Unwrap() Runtime on it, by which the
// supervisor finds the one that it has made.
type Runtime interface {
	// Ready completes the start of the run; see [Ready].
	Ready()
	// Killed is closed when the grace of a stop is over; see [Killed].
	Killed() <-chan struct{}
	// Path is the place of the child in its tree; see [Path].
	Path() string
	// Incarnation is the number of the run; see [Incarnation].
	Incarnation() uint64
	// Logger is the tree's logger for this run; see [Logger].
	Logger() *slog.Logger
	// Publish hands out v on behalf of the run; see [Publish].
	Publish(v any)
	// Redact hides secrets in s; see [Redact].
	Redact(s string) string
}

// RuntimeKey is the key under which a context answers with the [Runtime] of
// its run. It is for those who write a supervisor.
type RuntimeKey struct{}

// FromContext is the [Runtime] of the run that ctx belongs to, or nil. It is for
// those who write a supervisor, or what belongs to one.
func FromContext(ctx context.Context) Runtime {
	r, _ := ctx.Value(RuntimeKey{}).(Runtime)
	return r
}

// Ready says that the start of the run is complete. It matters for a child
// with a [Readiness] and for an [Announcer]; otherwise, for the second time,
// and without a run in ctx, it does nothing.
func Ready(ctx context.Context) {
	if r := FromContext(ctx); r != nil {
		r.Ready()
	}
}

// Killed is a channel that is closed when the run was told to stop and its
// grace is over. A service that guards something that can be killed, such as a
// process, kills it then. Without a run in ctx it is nil, which never closes.
func Killed(ctx context.Context) <-chan struct{} {
	if r := FromContext(ctx); r != nil {
		return r.Killed()
	}
	return nil
}

// StopReason is why the run was told to stop, for a service that has more than
// one way to end. Before that, and without a run in ctx, it is [NotTold].
func StopReason(ctx context.Context) Reason {
	var why told
	if errors.As(context.Cause(ctx), &why) {
		return why.StopReason()
	}
	return NotTold
}

// Path is the place of the child in its tree: the names from the root down,
// joined by slashes, as in shop/ingest/writer. It is empty without a run in ctx.
func Path(ctx context.Context) string {
	if r := FromContext(ctx); r != nil {
		return r.Path()
	}
	return ""
}

// Incarnation is the number of the run among all runs at its path: 1 for the
// first, never reset and never used again while the root lives. It is 0
// without a run in ctx.
func Incarnation(ctx context.Context) uint64 {
	if r := FromContext(ctx); r != nil {
		return r.Incarnation()
	}
	return 0
}

// Logger is the tree's logger with the child's path and incarnation. Without a
// run in ctx it drops what it is given.
func Logger(ctx context.Context) *slog.Logger {
	if r := FromContext(ctx); r != nil {
		return r.Logger()
	}
	return slog.New(slog.DiscardHandler)
}

// Publish hands out v, something that this incarnation offers: a channel, a
// client, an address. Others get it by the child's path and the type of v (see
// Get in the package supervisor) for as long as the incarnation lives. A
// second value of the same type takes the place of the first. Without a run in
// ctx it does nothing.
func Publish(ctx context.Context, v any) {
	if r := FromContext(ctx); r != nil {
		r.Publish(v)
	}
}

// Redact hides what looks like a secret in s, by the rule that the tree was
// given, or by [HideSecrets] without a run in ctx. A service applies it to
// arguments and to output that it logs.
func Redact(ctx context.Context, s string) string {
	if r := FromContext(ctx); r != nil {
		return r.Redact(s)
	}
	return HideSecrets(s)
}
