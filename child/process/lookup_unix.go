//go:build unix

package process

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// lookup is the file of c's program. A PATH entry that is not absolute would
// mean another directory for us than for the program, and is passed over.
func lookup(c Command) (string, error) {
	if strings.Contains(c.Path, "/") {
		return c.Path, nil
	}
	what, err := "it is in no directory of PATH", error(syscall.ENOENT)
	for _, dir := range filepath.SplitList(searchPath(c.Env)) {
		if !filepath.IsAbs(dir) {
			continue
		}
		file := filepath.Join(dir, c.Path)
		info, e := os.Stat(file)
		if e != nil || info.IsDir() {
			continue
		}
		if unix.Access(file, unix.X_OK) == nil {
			return file, nil
		}
		what, err = "it is in PATH but not executable", syscall.EACCES
	}
	return "", startError(c, what, err)
}

func searchPath(env []string) string {
	for i := len(env) - 1; i >= 0; i-- {
		if path, ok := strings.CutPrefix(env[i], "PATH="); ok {
			return path
		}
	}
	return os.Getenv("PATH")
}
