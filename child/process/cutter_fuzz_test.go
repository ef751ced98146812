package process

import (
	"bytes"
	"slices"
	"testing"
	"unicode/utf8"
)

// piece is a line that a cutter has cut, kept beyond the next one.
type piece struct {
	text        string
	ended, last bool
}

// cutAll cuts what comes in chunks of these sizes, over and over again.
func cutAll(t *testing.T, c *cutter, data, sizes []byte) (pieces []piece) {
	t.Helper()
	take := func(l line) {
		pieces = append(pieces, piece{string(l.text), l.ended, l.last})
		if cap(c.kept) > 2*maxLine {
			t.Fatalf("%d bytes are held", cap(c.kept))
		}
	}
	for i := 0; len(data) > 0; i++ {
		n := len(data)
		if len(sizes) > 0 {
			size := int(sizes[i%len(sizes)])
			n = min(n, 1+size*size) // up to the size of a pipe
		}
		c.in = bytes.Clone(data[:n])
		buf := c.in
		for l, ok := c.next(); ok; l, ok = c.next() {
			take(l)
		}
		clear(buf) // whoever reads uses it again
		data = data[n:]
	}
	if l, ok := c.rest(); ok {
		take(l)
	}
	return pieces
}

// FuzzCutter: whatever chunks a stream comes in, the pieces are its bytes, each
// is marked for what it is, and what is held has a bound.
func FuzzCutter(f *testing.F) {
	f.Add([]byte("one\ntwo\n\nlast"), uint16(1), []byte{0}, false)
	f.Add([]byte("\n"), uint16(9), []byte{1, 0}, false)
	f.Add([]byte("no newline at all, "), uint16(9000), []byte{255, 3}, false)
	f.Add([]byte("é€𐍈"), uint16(30000), []byte{7, 200, 1}, false)
	f.Add(append(bytes.Repeat([]byte("x"), maxLine), '\n'), uint16(2), []byte{255, 254, 2}, false)
	f.Add(append(bytes.Repeat([]byte("x"), maxLine+1), '\n'), uint16(2), []byte{}, false)
	f.Add([]byte("\xff\x80\xe2\x82"), uint16(40000), []byte{16, 15}, false)
	f.Add([]byte("raw\nbytes"), uint16(3), []byte{2}, true)
	f.Fuzz(func(t *testing.T, data []byte, times uint16, sizes []byte, raw bool) {
		const most = 4 * maxLine
		data = bytes.Repeat(data, min(int(times), most/max(len(data), 1)))
		pieces := cutAll(t, &cutter{raw: raw}, data, sizes)
		var joined []byte
		for i, p := range pieces {
			joined = append(joined, p.text...)
			if !raw {
				check(t, p, i == len(pieces)-1, utf8.Valid(data))
			} else if p.ended || p.last || p.text == "" {
				t.Fatalf("a raw piece is marked: %+v", p)
			}
		}
		if !bytes.Equal(joined, data) {
			t.Fatalf("%d bytes became %d others", len(data), len(joined))
		}
		if whole := cutAll(t, new(cutter), data, nil); !raw && !slices.Equal(whole, pieces) {
			t.Fatalf("in chunks %v there are %d pieces, at once %d", sizes, len(pieces), len(whole))
		}
	})
}

// check checks one piece of lines, the final one of its stream or not, of a
// stream of valid characters or not.
func check(t *testing.T, p piece, final, valid bool) {
	t.Helper()
	end := bytes.IndexByte([]byte(p.text), '\n')
	switch {
	case p.ended && (p.last || end != len(p.text)-1):
		t.Fatalf("marked as a whole line: %.80q", p.text)
	case !p.ended && end >= 0:
		t.Fatalf("not marked as a whole line: %.80q", p.text)
	case p.text == "" || len(p.text) > maxLine+1 || len(p.text) > maxLine && !p.ended:
		t.Fatalf("a piece has %d bytes", len(p.text))
	case p.last && !final, final && !p.ended && !p.last:
		t.Fatalf("the last piece is not the one that is marked so: %.80q", p.text)
	case !p.ended && !p.last && len(p.text) <= maxLine-utf8.UTFMax:
		t.Fatalf("a part has only %d bytes", len(p.text))
	case valid && !utf8.ValidString(p.text):
		t.Fatalf("a character was cut")
	}
}
