//go:build unix

package process

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// diagnose says what was wrong when the system answered err to an attempt to
// execute file. The answer is the same for a missing program, directory and
// interpreter, so it looks.
func (c Command) diagnose(file string, err error) (step, reason string) {
	switch {
	case isTemporary(err):
		return "exec", "cannot start for now"
	case !canEnter(c.inside(c.Dir)):
		return "directory", c.noEntry()
	case errors.Is(err, syscall.ENOENT):
		return "exec", missing(c.placed(file))
	case errors.Is(err, syscall.EACCES):
		return "exec", forbidden(c.placed(file))
	case errors.Is(err, syscall.ENOEXEC):
		return "exec", "it is nothing that this system can execute"
	case errors.Is(err, syscall.E2BIG):
		return "exec", "its arguments and environment are too long"
	}
	return "exec", ""
}

func (c Command) noEntry() string { return fmt.Sprintf("cannot enter %q", c.Dir) }

func canEnter(dir string) bool {
	if dir == "" {
		return true
	}
	info, err := os.Stat(dir)
	return err == nil && info.IsDir() && unix.Access(dir, unix.X_OK) == nil
}

// inside is where a path of the program's is for us.
func (c Command) inside(path string) string {
	if path == "" || c.System.Chroot == "" {
		return path
	}
	return filepath.Join(c.System.Chroot, path)
}

// placed is where the program is for us; for itself it is relative to Dir.
func (c Command) placed(file string) string {
	if c.Dir != "" && !filepath.IsAbs(file) {
		file = filepath.Join(c.Dir, file)
	}
	return c.inside(file)
}

func missing(file string) string {
	if _, err := os.Stat(file); err != nil {
		return "there is no such program"
	}
	if name := interpreter(file); name != "" {
		return fmt.Sprintf("its interpreter %q is missing", name)
	}
	return "its interpreter or loader is missing"
}

func forbidden(file string) string {
	info, err := os.Stat(file)
	switch {
	case err != nil:
		return "it cannot be reached"
	case info.IsDir():
		return "it is a directory"
	case unix.Access(file, unix.X_OK) != nil:
		return "it is not executable"
	}
	return "its interpreter or file system does not let it execute"
}

// interpreter is the program that the first line of a script names.
func interpreter(script string) string {
	file, err := os.Open(script)
	if err != nil {
		return ""
	}
	defer file.Close()
	const longest = 256 // the kernel's limit
	first, _ := bufio.NewReaderSize(file, longest).ReadSlice('\n')
	rest, ok := strings.CutPrefix(string(first), "#!")
	if fields := strings.Fields(rest); ok && len(fields) > 0 {
		return fields[0]
	}
	return ""
}
