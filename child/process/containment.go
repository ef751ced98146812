package process

// Containment says how far the descendants of a process are held together. The
// zero value: the process leads a session and a group of its own, and what is
// left of the group ends with it.
type Containment struct {
	// Terminal leaves the process in our session, so that it can use our
	// terminal; it still leads a group. Optional.
	Terminal bool
	// Cgroup gives the process a control group of its own, below ours, where
	// the system lets us make one (cgroup v2): then nothing can leave. It is
	// kept over the runs of the child. Optional. Where it cannot be had, the
	// run falls back to the group; the snapshot says which it is.
	Cgroup bool
	// MaxMemory is a hard limit of the control group in bytes: the kernel kills
	// who goes beyond it, which is an end of its own kind. Optional; zero is
	// none. A start fails where the system does not let us set it.
	MaxMemory uint64
	// MaxCPU is a hard limit of the control group as a number of processors,
	// as 1.5. Optional; zero is none.
	MaxCPU float64
	// MaxProcesses is a hard limit of the control group. Optional; zero is none.
	MaxProcesses int
}

// limits reports whether a hard limit is set.
func (c Containment) limits() bool { return c.MaxMemory > 0 || c.MaxCPU > 0 || c.MaxProcesses > 0 }

func (c Containment) validate(m *mistakes) {
	m.add(c.limits() && !c.Cgroup, "Containment.Cgroup", c.Cgroup, "must be set for a hard limit")
	m.add(c.MaxCPU < 0 || c.MaxCPU != c.MaxCPU, "Containment.MaxCPU", c.MaxCPU, "must not be negative")
	m.add(c.MaxProcesses < 0, "Containment.MaxProcesses", c.MaxProcesses, "must not be negative")
}

// Leftovers says what becomes of the processes of a group that are left when
// its leader has ended. The zero value is [KillThem].
type Leftovers uint8

const (
	// KillThem: they are killed at once.
	KillThem Leftovers = iota
	// StopThem: they are asked by the ladder of the command first.
	StopThem
	// LeaveThem: they live on, and nobody waits for them.
	LeaveThem
)

var leftoverWords = words[Leftovers]{"Leftovers", []string{KillThem: "kill", StopThem: "stop", LeaveThem: "leave"}}

// String is the word for it: kill, stop or leave.
func (l Leftovers) String() string { return leftoverWords.string(l) }

// MarshalText is [Leftovers.String]; an unknown value is an error.
func (l Leftovers) MarshalText() ([]byte, error) { return leftoverWords.marshal(l) }

// UnmarshalText is the reverse of [Leftovers.MarshalText].
func (l *Leftovers) UnmarshalText(text []byte) error { return leftoverWords.unmarshal(text, l) }

// Orphan says what becomes of a process when our own program dies without
// having stopped it. The zero value is [DieToo].
type Orphan uint8

const (
	// DieToo: its group is killed, by a small watcher process of ours.
	DieToo Orphan = iota
	// LiveOn: it is left alone.
	LiveOn
)

var orphanWords = words[Orphan]{"Orphan", []string{DieToo: "kill", LiveOn: "leave"}}

// String is the word for it: kill or leave.
func (o Orphan) String() string { return orphanWords.string(o) }

// MarshalText is [Orphan.String]; an unknown value is an error.
func (o Orphan) MarshalText() ([]byte, error) { return orphanWords.marshal(o) }

// UnmarshalText is the reverse of [Orphan.MarshalText].
func (o *Orphan) UnmarshalText(text []byte) error { return orphanWords.unmarshal(text, o) }
