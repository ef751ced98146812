//go:build unix

package process

import (
	"strconv"
	"strings"

	"github.com/coppice-go/coppice/child/process/internal/spawn"
)

// image is what c executes: the file, its arguments and its environment, who
// it runs as, and what the system is told. The descriptors come later.
func (c Command) image() (*spawn.Attr, error) {
	who, credential, err := c.User.resolve()
	if err != nil {
		return nil, c.failed("user", "", err)
	}
	env := c.environAs(who)
	name, args := c.Path, append([]string{c.Path}, c.Args...)
	if c.Shell { // $0 is sh, so that $1 is the first argument
		name, args = "sh", append([]string{"sh", "-c", c.Path, "sh"}, c.Args...)
	}
	file, err := c.lookup(name, env)
	if err != nil {
		return nil, err
	}
	a := &spawn.Attr{
		Path: file, Args: args, Env: env, Dir: c.Dir, Chroot: c.System.Chroot,
		Session: !c.Containment.Terminal, Group: c.Containment.Terminal,
		Credential: credential, ListenPID: len(c.Sockets) > 0, NoNewPrivs: c.System.NoNewPrivileges,
	}
	c.System.fill(a)
	return a, nil
}

// environAs is the whole environment, for a user with these entries of its own.
func (c Command) environAs(who []string) []string {
	env := c.environ(c.further()...)
	for _, entry := range who {
		if key, _, _ := strings.Cut(entry, "="); !hasKey(c.Env, key) {
			env = lastOfEach(append(env, entry))
		}
	}
	return env
}

// environment is what the process will find, as far as it is known before it is
// started.
func (c Command) environment() ([]string, error) {
	who, _, err := c.User.resolve()
	return c.environAs(who), err
}

// further are the entries of the environment that the command needs itself.
func (c Command) further() []string {
	if len(c.Sockets) == 0 {
		return nil
	}
	names := make([]string, len(c.Sockets))
	for i, s := range c.Sockets {
		if names[i] = s.Name; s.Name == "" {
			names[i] = "unknown"
		}
	}
	return []string{
		"LISTEN_FDS=" + strconv.Itoa(len(c.Sockets)),
		"LISTEN_FDNAMES=" + strings.Join(names, ":"),
		"LISTEN_PID=0000000000", // the child writes its number there
	}
}

// fill tells a what the system is told.
func (s System) fill(a *spawn.Attr) {
	if s.Umask.set {
		a.Umask = &s.Umask.mask
	}
	if s.Nice != 0 {
		a.Nice = &s.Nice
	}
	if s.IO.Class != SameIO {
		priority := int(s.IO.Class)<<13 | s.IO.Level // as the kernel packs it
		a.IOPriority = &priority
	}
	if s.OOMScore != 0 {
		a.OOMScore = &s.OOMScore
	}
	a.CPUs = s.CPUs
	for _, l := range s.Limits {
		a.Rlimits = append(a.Rlimits, spawn.Rlimit{Resource: limits[l.Name], Cur: l.Soft, Max: l.Hard})
	}
	for _, name := range s.Capabilities {
		a.Capabilities = append(a.Capabilities, capability(name))
	}
}
