package process

import (
	"io"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/DeRuina/timberjack"
)

// A LogFile is a file for the lines of a program. It is made if it is not
// there, with the mode 0640, and its directories with 0755; what is in it
// stays. When it has its share of the Megabytes it is renamed after the time,
// as in web-2006-01-02T15-04-05.000000-size.log, and a new one begun; the oldest
// is removed. The renaming and the removing is our program's: the file is
// opened by it, as its user, and not by the process.
//
// Any number of streams, commands and supervisors of our program may name one
// file, but no two programs. It is open from the first line to the end of the
// last process that writes to it. What cannot be written, because the disk is
// full, is lost and counted, and holds up no program.
//
// A Path that is there and is no ordinary file, such as a device or a named
// pipe, is written to and never renamed.
type LogFile struct {
	// Path is the file; a relative one is relative to our own directory.
	// Required.
	Path string
	// Megabytes are what it and its predecessors take at the most, in units of
	// 1024 * 1024 bytes: at least 3. Optional; zero is 100. Of several for one
	// file, that of the one who opened it counts.
	Megabytes int
}

const (
	defaultMegabytes = 100
	leastMegabytes   = 3
	mostMegabytes    = 1 << 20
)

func (f LogFile) validate(m *mistakes, field string, wanted bool) {
	m.add(wanted && f.Path == "", field+".Path", f.Path, "must name a file")
	m.add(hasNUL(f.Path), field+".Path", f.Path, noNUL)
	m.add(!wanted && f != LogFile{}, field, f.Path, "needs a To that is File")
	m.add(f.Megabytes != 0 && (f.Megabytes < leastMegabytes || f.Megabytes > mostMegabytes), field+".Megabytes",
		itoa(f.Megabytes), "must lie between "+itoa(leastMegabytes)+" and "+itoa(mostMegabytes))
}

// open opens what there is at the path, without waiting for a reader of a
// named pipe, or else an ordinary file that is rotated.
func (f LogFile) open() (io.WriteCloser, error) {
	if info, err := os.Stat(f.Path); err == nil && !info.Mode().IsRegular() {
		return os.OpenFile(f.Path, os.O_WRONLY|os.O_APPEND|syscall.O_NONBLOCK, 0)
	}
	size, old := f.shares()
	return &timberjack.Logger{
		Filename: f.Path, MaxSize: size, MaxBackups: old,
		// Those of the same instant count as one: make instants short.
		BackupTimeFormat: "2006-01-02T15-04-05.000000",
	}, nil
}

// shares is how large a file may be, and how many old ones stay. One more may
// be there for as long as it takes to remove it.
func (f LogFile) shares() (size, old int) {
	total := f.Megabytes
	if total == 0 {
		total = defaultMegabytes
	}
	size = max(1, total/5)
	return size, total/size - 2
}

// A file is a [LogFile] that is open, for all who write to it.
type file struct {
	io.WriteCloser
	users int         // protected by files
	torn  atomic.Bool // it ends in the middle of a line
}

// files are those that are open, by their absolute paths.
var files = struct {
	sync.Mutex // protects what follows
	open       map[string]*file
}{open: map[string]*file{}}

// acquire is the open file, and what to call when it is no longer needed.
func (f LogFile) acquire() (*file, func(), error) {
	path, err := filepath.Abs(f.Path)
	if err != nil {
		return nil, nil, err
	}
	files.Lock()
	defer files.Unlock()
	opened := files.open[path]
	if opened == nil {
		w, err := f.open()
		if err != nil {
			return nil, nil, err
		}
		opened = &file{WriteCloser: w}
		files.open[path] = opened
	}
	opened.users++
	return opened, func() { opened.leave(path) }, nil
}

func (f *file) leave(path string) {
	files.Lock()
	f.users--
	last := f.users == 0
	if last {
		delete(files.open, path)
	}
	files.Unlock()
	if last {
		_ = f.Close() // what it says has been said by the writes
	}
}

// Write writes a line, and first ends one of which only a part fitted.
func (f *file) Write(line []byte) (n int, err error) {
	if f.torn.Load() {
		if _, err := f.WriteCloser.Write([]byte("\n")); err != nil {
			return 0, err
		}
		f.torn.Store(false)
	}
	n, err = f.WriteCloser.Write(line)
	if n > 0 && n < len(line) {
		f.torn.Store(true)
	}
	return n, err
}

// writeFile opens the file with the first line, so that what is in the way of
// that is no more than a lost line. It is closed by calling the second function,
// after the last line.
func writeFile(f LogFile) (sink, func()) {
	var write sink
	var leave func()
	return func(l line) error {
			if write == nil {
				opened, done, err := f.acquire()
				if err != nil {
					return err
				}
				write, leave = writeLines(opened), done
			}
			return write(l)
		}, func() {
			if leave != nil {
				leave()
			}
		}
}
