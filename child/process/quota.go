package process

import (
	"context"
	"fmt"
	"time"

	"github.com/coppice-go/coppice/child"
)

// Quota is what a process and its descendants may use. More than that, in
// Samples looks one after the other, ends the run as a failure: with a
// [*QuotaError], by the Abort ladder and then the Stop ladder of the command.
// All processes with the same Every are looked at together. The zero value is
// no limit. Needs Linux.
type Quota struct {
	// Memory is the resident memory of the whole tree in bytes, as
	// [Use.Memory] counts it. Optional.
	Memory uint64
	// CPU is the share of one processor, as 1.5. Optional.
	CPU float64
	// Every is the time between two looks, at least [MinInterval]. Optional;
	// zero is five seconds.
	Every time.Duration
	// Samples is how many looks in a row must find too much. Optional; zero
	// is three.
	Samples int
}

func (q Quota) validate(m *mistakes) {
	m.add(!canSample && q != (Quota{}), "Quota", nil, "cannot be had on this system")
	m.add(q.CPU < 0 || q.CPU != q.CPU, "Quota.CPU", q.CPU, "must not be negative")
	m.add(q.Every < 0, "Quota.Every", q.Every, "must not be negative")
	m.add(q.Every > 0 && q.Every < MinInterval, "Quota.Every", q.Every, "must not be less than "+MinInterval.String())
	m.add(q.Samples < 0, "Quota.Samples", q.Samples, "must not be negative")
}

// limits reports whether there is any limit.
func (q Quota) limits() bool { return q.Memory > 0 || q.CPU > 0 }

// samples is how many looks in a row must find too much.
func (q Quota) samples() int {
	if q.Samples == 0 {
		return 3
	}
	return q.Samples
}

// A QuotaError is why a run ended that used more than its [Quota]. The
// reason of its exit is [child.ByLimit].
type QuotaError struct {
	// Resource is what it used too much of: memory or cpu.
	Resource string
	// Used is how much it used at the last look: bytes, or the share of one
	// processor.
	Used float64
	// Limit is how much it may use, in the same unit.
	Limit float64
	// Samples is how many looks in a row found too much.
	Samples int
}

// Error is the resource, and what was used of how much.
func (e *QuotaError) Error() string {
	format := "process: %s: %.0f bytes are used of %.0f, at %d looks in a row"
	if e.Resource == "cpu" {
		format = "process: %s: %.2f processors are used of %.2f, at %d looks in a row"
	}
	return fmt.Sprintf(format, e.Resource, e.Used, e.Limit, e.Samples)
}

// StopReason is [child.ByLimit].
func (e *QuotaError) StopReason() child.Reason { return child.ByLimit }

// ExitCause is that of the resource.
func (e *QuotaError) ExitCause() child.Cause {
	if e.Resource == "memory" {
		return child.CauseMemory
	}
	return child.CauseCPU
}

// An enforcer holds a process to its quota. The sampler alone calls it.
type enforcer struct {
	ctx         context.Context // of the run; only its values are used
	handle      *Handle
	quota       Quota
	meter       meter
	memory, cpu int // looks in a row that found too much
	blind       bool
}

// take takes a sample. When too many in a row were too much, the run fails.
func (e *enforcer) take(s Stats, err error) {
	if err != nil {
		if !e.blind {
			e.blind = true
			child.Logger(e.ctx).Warn("process: its quota cannot be held", "pid", e.handle.PID(), "err", err)
		}
		return
	}
	s = e.meter.mark(s)
	e.count("memory", &e.memory, float64(s.Tree.Memory), float64(e.quota.Memory))
	e.count("cpu", &e.cpu, s.Tree.Share, e.quota.CPU)
}

func (e *enforcer) count(resource string, times *int, used, limit float64) {
	if limit == 0 || used <= limit {
		*times = 0
		return
	}
	*times++
	if *times == e.quota.samples() && e.handle.Alive() {
		e.handle.Fail(&QuotaError{Resource: resource, Used: used, Limit: limit, Samples: *times})
	}
}
