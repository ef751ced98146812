//go:build unix

package process

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// lookup is the file of the program called name, for whoever has that
// environment. A PATH entry that is not absolute would mean another directory
// for us than for the program, and is passed over.
func (c Command) lookup(name string, env []string) (string, error) {
	if strings.Contains(name, "/") {
		return name, nil
	}
	reason, err := "it is in no directory of PATH", error(syscall.ENOENT)
	for _, dir := range filepath.SplitList(searchPath(env)) {
		if !filepath.IsAbs(dir) {
			continue
		}
		file := filepath.Join(dir, name)
		here := filepath.Join(c.System.Chroot, file)
		info, e := os.Stat(here)
		if e != nil || info.IsDir() {
			continue
		}
		if unix.Access(here, unix.X_OK) == nil {
			return file, nil
		}
		reason, err = "it is in PATH but not executable", syscall.EACCES
	}
	if strings.Contains(name, " ") {
		reason += "; arguments belong in Args, and a line for the shell needs Shell"
	}
	return "", c.failed("lookup", reason, err)
}

// searchPath is the PATH of env, or what a shell assumes without one.
func searchPath(env []string) string {
	if path, ok := lookupEnv(env, "PATH"); ok {
		return path
	}
	return defaultPath
}

const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
