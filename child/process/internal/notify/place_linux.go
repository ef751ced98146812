package notify

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

const (
	// name is that of the socket in its directory.
	name = "n"
	// maxPath is how long the path of a socket may be: sun_path has 108 bytes,
	// and some senders want to end it with a zero.
	maxPath = 107
	// mine is for whoever owns it, pass for others on their way to what they
	// know by name.
	mine, pass = 0o700, 0o711
)

// place is the directory of one socket. There is one for each, so that nothing
// has to be shared, counted, or still be there after days in a directory that
// somebody tidies.
type place string

func (p place) socket() string { return filepath.Join(string(p), name) }

// newPlace makes the directory for a process of the given user, which only we
// may enter as yet.
func newPlace(uid int) (place, error) {
	runtime := os.Getenv("XDG_RUNTIME_DIR")
	if runtime == "" {
		return newPlaceIn(os.TempDir(), uid)
	}
	p, err := newPlaceIn(runtime, uid)
	if err == nil {
		return p, nil
	}
	p, second := newPlaceIn(os.TempDir(), uid)
	if second != nil {
		return "", fmt.Errorf("%w; and %w", err, second)
	}
	return p, nil
}

func newPlaceIn(base string, uid int) (place, error) {
	base, err := filepath.Abs(base) // the process may have another directory
	if err != nil {
		return "", err
	}
	if uid != os.Geteuid() {
		if err := reachable(base, uid); err != nil {
			return "", err
		}
	}
	dir, err := os.MkdirTemp(base, "coppice-")
	if err != nil {
		return "", err
	}
	p := place(dir)
	if n := len(p.socket()); n > maxPath {
		p.remove()
		return "", fmt.Errorf("the path %s has %d bytes, and the system takes %d for a socket (sun_path)", p.socket(), n, maxPath)
	}
	return p, nil
}

// reachable reports as an error what keeps a user from a directory. It does not
// know of groups and lists of access: it would rather say no.
func reachable(dir string, uid int) error {
	for {
		info, err := os.Stat(dir)
		if err != nil {
			return err
		}
		enter := fs.FileMode(0o001)
		if owner(info) == uid {
			enter = 0o100
		}
		if info.Mode()&enter == 0 {
			return fmt.Errorf("user %d cannot pass through %s (%v)", uid, dir, info.Mode())
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return nil
		}
		dir = parent
	}
}

// open lets the user of the process reach the socket, and nobody else. It works
// within the directory that is there and not by its path: whoever may rename the
// directory could else make us give away another file.
func (p place) open(uid int) error {
	dir, err := os.OpenRoot(string(p))
	if err != nil {
		return err
	}
	defer dir.Close()
	info, err := dir.Stat(".")
	if err != nil {
		return err
	}
	if owner(info) != os.Geteuid() || info.Mode().Perm() != mine {
		return fmt.Errorf("%s is not the directory that was made", p)
	}
	if err := dir.Chmod(name, 0o600); err != nil {
		return err
	}
	if uid == os.Geteuid() {
		return nil
	}
	if err := dir.Lchown(name, uid, -1); err != nil {
		return err
	}
	return dir.Chmod(".", pass)
}

// remove takes away what was made and nothing else.
func (p place) remove() {
	_ = os.Remove(p.socket())
	_ = os.Remove(string(p))
}

func owner(info fs.FileInfo) int {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return -1
	}
	return int(stat.Uid)
}
