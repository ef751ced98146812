package process

import (
	"errors"
	"strings"
	"testing"
)

// disk has room for so many bytes.
type disk struct {
	strings.Builder
	room int
}

var errFull = errors.New("full")

func (d *disk) Close() error { return nil }

func (d *disk) Write(b []byte) (int, error) {
	n := min(len(b), d.room)
	d.room -= n
	d.Builder.Write(b[:n])
	if n < len(b) {
		return n, errFull
	}
	return n, nil
}

func TestALineOfWhichOnlyAPartFittedIsEnded(t *testing.T) {
	d := &disk{room: 6}
	f := &file{WriteCloser: d}
	for i, line := range []string{"one\n", "two\n", "three\n", "four\n", "five\n"} {
		if i == 3 {
			d.room = 100
		}
		if _, err := f.Write([]byte(line)); (err != nil) != (i == 1 || i == 2) {
			t.Errorf("%q: got %v", line, err)
		}
	}
	if got := d.String(); got != "one\ntw\nfour\nfive\n" {
		t.Errorf("got %q", got)
	}
}

func TestTheSharesOfAFileAddUp(t *testing.T) {
	for total := leastMegabytes; total < 500; total++ {
		size, old := LogFile{Megabytes: total}.shares()
		if size < 1 || old < 1 || (old+2)*size > total || (old+2)*size < total/2 {
			t.Errorf("of %d: %d and %d of them", total, size, old)
		}
	}
}

func TestAFileIsOpenOnceForAllWhoWriteToIt(t *testing.T) {
	f := LogFile{Path: t.TempDir() + "/web.log"}
	one, leaveOne, err := f.acquire()
	if err != nil {
		t.Fatal(err)
	}
	two, leaveTwo, err := f.acquire()
	if err != nil || one != two {
		t.Errorf("it was opened again, %v", err)
	}
	leaveOne()
	if len(files.open) != 1 {
		t.Error("it was closed under somebody")
	}
	leaveTwo()
	if len(files.open) != 0 {
		t.Error("it was not closed")
	}
}
