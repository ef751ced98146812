package process

import (
	"fmt"
	"strconv"
)

// System is what the operating system is told about a process before it
// executes. Every zero value leaves what our own process has, except where it
// says otherwise: signals are never ignored or blocked in a process.
type System struct {
	// Umask is its file mode mask, as in Mask(0o022). Optional.
	Umask Umask
	// Nice is its niceness, from -20 to 19. Optional; zero is ours.
	Nice int
	// IO is its priority for input and output. Optional.
	IO IOPriority
	// CPUs are the processors that it may run on, from 0. Optional.
	CPUs []int
	// Limits are its resource limits. Optional; the limit of open files is
	// what our own program was started with.
	Limits []Limit
	// OOMScore is added to its badness when memory is short, from -1000 to
	// 1000. Optional; zero is ours.
	OOMScore int
	// Capabilities are the privileges that it keeps though it is not root, as
	// in "net_bind_service". Optional; nil leaves them as they come.
	Capabilities []string
	// NoNewPrivileges says that neither it nor its descendants gain privileges
	// by executing something. Optional.
	NoNewPrivileges bool
	// Chroot is its root directory. Optional.
	Chroot string
}

// A Umask is a file mode mask, or none. Make one with [Mask].
type Umask struct {
	mask int
	set  bool
}

// Mask is the umask of these permission bits.
func Mask(bits int) Umask { return Umask{bits, true} }

// String is the mask in octal digits, empty for none.
func (u Umask) String() string {
	if !u.set {
		return ""
	}
	return fmt.Sprintf("%04o", u.mask)
}

// MarshalText is [Umask.String].
func (u Umask) MarshalText() ([]byte, error) { return []byte(u.String()), nil }

// UnmarshalText reads octal digits; nothing is none.
func (u *Umask) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*u = Umask{}
		return nil
	}
	n, err := strconv.ParseUint(string(text), 8, 16)
	if err != nil || n > 0o777 {
		return fmt.Errorf("process: Umask: %q: must be octal digits up to 0777", text)
	}
	*u = Mask(int(n))
	return nil
}

// IOPriority is a priority for input and output. The zero value is ours.
type IOPriority struct {
	// Class is the class. Optional; zero is ours.
	Class IOClass
	// Level is from 0, the highest, to 7 within RealTime and BestEffort.
	Level int
}

// IOClass is a class of priorities. The zero value is [SameIO].
type IOClass uint8

const (
	// SameIO: as our own.
	SameIO IOClass = iota
	// RealTime: before all others.
	RealTime
	// BestEffort: the usual one.
	BestEffort
	// IdleIO: when nobody else wants anything.
	IdleIO
)

var ioWords = words[IOClass]{"IOClass", []string{SameIO: "", RealTime: "realtime", BestEffort: "besteffort", IdleIO: "idle"}}

// String is the class's word, empty for SameIO.
func (c IOClass) String() string { return ioWords.string(c) }

// MarshalText is [IOClass.String]; an unknown value is an error.
func (c IOClass) MarshalText() ([]byte, error) { return ioWords.marshal(c) }

// UnmarshalText is the reverse of [IOClass.MarshalText].
func (c *IOClass) UnmarshalText(text []byte) error { return ioWords.unmarshal(text, c) }

// Limit is one resource limit.
type Limit struct {
	// Name is that of ulimit and systemd without a prefix: as, core, cpu, data,
	// fsize, memlock, msgqueue, nice, nofile, nproc, rss, rtprio, rttime,
	// sigpending or stack. Required.
	Name string
	// Soft is what applies. NoLimit is none.
	Soft uint64
	// Hard is how far the process may raise it. Never below Soft.
	Hard uint64
}

// NoLimit is no limit, in a [Limit].
const NoLimit = ^uint64(0)

// limits are their numbers on Linux.
var limits = map[string]int{
	"cpu": 0, "fsize": 1, "data": 2, "stack": 3, "core": 4, "rss": 5, "nproc": 6, "nofile": 7,
	"memlock": 8, "as": 9, "sigpending": 11, "msgqueue": 12, "nice": 13, "rtprio": 14, "rttime": 15,
}

func (s System) validate(m *mistakes) {
	m.add(s.Umask.set && (s.Umask.mask < 0 || s.Umask.mask > 0o777), "System.Umask", s.Umask.mask, "must lie between 0 and 0o777")
	m.add(s.Nice < -20 || s.Nice > 19, "System.Nice", s.Nice, "must lie between -20 and 19")
	m.add(int(s.IO.Class) >= len(ioWords.list), "System.IO.Class", uint8(s.IO.Class), "must be one of the constants")
	m.add(s.IO.Level < 0 || s.IO.Level > 7, "System.IO.Level", s.IO.Level, "must lie between 0 and 7")
	for i, cpu := range s.CPUs {
		m.add(cpu < 0 || cpu > 1023, "System.CPUs"+index(i), cpu, "must lie between 0 and 1023")
	}
	for i, l := range s.Limits {
		_, known := limits[l.Name]
		m.add(!known, "System.Limits"+index(i)+".Name", l.Name, "must be the name of a limit, as nofile")
		m.add(l.Hard < l.Soft, "System.Limits"+index(i)+".Hard", l.Hard, "must not be below Soft")
	}
	m.add(s.OOMScore < -1000 || s.OOMScore > 1000, "System.OOMScore", s.OOMScore, "must lie between -1000 and 1000")
	for i, name := range s.Capabilities {
		m.add(capability(name) < 0, "System.Capabilities"+index(i), name, "must be the name of a capability, as net_bind_service")
	}
	m.add(hasNUL(s.Chroot), "System.Chroot", s.Chroot, noNUL)
}

// capabilities are their names on Linux, by number.
var capabilities = [...]string{
	"chown", "dac_override", "dac_read_search", "fowner", "fsetid", "kill", "setgid", "setuid", "setpcap",
	"linux_immutable", "net_bind_service", "net_broadcast", "net_admin", "net_raw", "ipc_lock", "ipc_owner",
	"sys_module", "sys_rawio", "sys_chroot", "sys_ptrace", "sys_pacct", "sys_admin", "sys_boot", "sys_nice",
	"sys_resource", "sys_time", "sys_tty_config", "mknod", "lease", "audit_write", "audit_control", "setfcap",
	"mac_override", "mac_admin", "syslog", "wake_alarm", "block_suspend", "audit_read", "perfmon", "bpf",
	"checkpoint_restore",
}

// capability is the number of a capability, or -1.
func capability(name string) int {
	for i, c := range capabilities {
		if c == name {
			return i
		}
	}
	return -1
}
