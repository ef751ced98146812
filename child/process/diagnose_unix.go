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

// diagnose says what was wrong with c when the system answered err. The answer
// is the same for a missing program, directory and interpreter, so it looks.
func diagnose(c Command, program string, err error) string {
	switch {
	case isTemporary(err):
		return "cannot start for now"
	case !canEnter(c.Dir):
		return fmt.Sprintf("cannot enter its directory %q", c.Dir)
	case errors.Is(err, syscall.ENOENT):
		return missing(placed(c, program))
	case errors.Is(err, syscall.EACCES):
		return forbidden(placed(c, program))
	case errors.Is(err, syscall.ENOEXEC):
		return "it is nothing that this system can execute"
	case errors.Is(err, syscall.E2BIG):
		return "its arguments and environment are too long"
	}
	return "cannot start"
}

func canEnter(dir string) bool {
	if dir == "" {
		return true
	}
	info, err := os.Stat(dir)
	return err == nil && info.IsDir() && unix.Access(dir, unix.X_OK) == nil
}

// placed is where the program is for us; for itself it is relative to Dir.
func placed(c Command, program string) string {
	if c.Dir == "" || filepath.IsAbs(program) {
		return program
	}
	return filepath.Join(c.Dir, program)
}

func missing(program string) string {
	if _, err := os.Stat(program); err != nil {
		return "there is no such program"
	}
	if name := interpreter(program); name != "" {
		return fmt.Sprintf("its interpreter %q is missing", name)
	}
	return "its interpreter or loader is missing"
}

func forbidden(program string) string {
	info, err := os.Stat(program)
	switch {
	case err != nil:
		return "it cannot be reached"
	case info.IsDir():
		return "it is a directory"
	case unix.Access(program, unix.X_OK) != nil:
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
