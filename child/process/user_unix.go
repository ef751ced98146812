//go:build unix

package process

import (
	"bufio"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"strings"

	"github.com/coppice-go/coppice/child/process/internal/spawn"
)

// resolve finds who is meant, and the entries of the environment that go with
// it. Both are nil for us.
func (u User) resolve() (env []string, c *spawn.Credential, err error) {
	if u.isZero() {
		return nil, nil, nil
	}
	c = &spawn.Credential{Uid: uint32(os.Getuid()), Gid: uint32(os.Getgid()), KeepGroups: true}
	if u.Name != "" {
		if env, err = u.become(c); err != nil {
			return nil, nil, err
		}
	}
	if u.Group != "" {
		if c.Gid, err = groupID(u.Group); err != nil {
			return nil, nil, err
		}
	}
	if u.Groups != nil {
		c.Groups, c.KeepGroups = []uint32{}, false
		for _, name := range u.Groups {
			id, err := groupID(name)
			if err != nil {
				return nil, nil, err
			}
			c.Groups = append(c.Groups, id)
		}
	}
	if os.Getuid() != 0 && c.Groups == nil {
		c.KeepGroups = true // only root may change them
	}
	return env, c, nil
}

// become fills in the user, with the groups that it belongs to. A number that
// no user has is taken as it is.
func (u User) become(c *spawn.Credential) (env []string, err error) {
	who, err := user.Lookup(u.Name)
	number, e := strconv.ParseUint(u.Name, 10, 32)
	if err != nil && e == nil {
		if who, err = user.LookupId(u.Name); err != nil {
			c.Uid, c.Gid, c.KeepGroups, c.Groups = uint32(number), uint32(number), false, []uint32{}
			return nil, nil
		}
	}
	if err != nil {
		return nil, fmt.Errorf("user %q: %w", u.Name, err)
	}
	if c.Uid, err = parseID(who.Uid); err != nil {
		return nil, err
	}
	if c.Gid, err = parseID(who.Gid); err != nil {
		return nil, err
	}
	if os.Getuid() == 0 {
		c.KeepGroups, c.Groups = false, groupsOf(who)
	}
	env = []string{"HOME=" + who.HomeDir, "USER=" + who.Username, "LOGNAME=" + who.Username}
	return append(env, "SHELL="+shellOf(who.Username)), nil
}

func groupsOf(who *user.User) []uint32 {
	ids, err := who.GroupIds()
	if err != nil {
		return []uint32{}
	}
	groups := make([]uint32, 0, len(ids))
	for _, id := range ids {
		if n, err := parseID(id); err == nil {
			groups = append(groups, n)
		}
	}
	return groups
}

func groupID(name string) (uint32, error) {
	g, err := user.LookupGroup(name)
	if err == nil {
		return parseID(g.Gid)
	}
	if id, e := parseID(name); e == nil {
		return id, nil
	}
	return 0, fmt.Errorf("group %q: %w", name, err)
}

func parseID(s string) (uint32, error) {
	n, err := strconv.ParseUint(s, 10, 32)
	return uint32(n), err
}

// shellOf is the user's shell, which package os/user does not tell.
func shellOf(name string) string {
	file, err := os.Open("/etc/passwd")
	if err != nil {
		return "/bin/sh"
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if fields := strings.Split(lines.Text(), ":"); len(fields) == 7 && fields[0] == name && fields[6] != "" {
			return fields[6]
		}
	}
	return "/bin/sh"
}
