package process

import (
	"bytes"
	"unicode/utf8"
)

// maxLine is the longest line that is delivered in one piece. It bounds what
// is kept of a program that prints no newline.
const maxLine = 64 << 10

// A line is a piece of output: a line, or part of one.
type line struct {
	text  []byte // with the newline, if ended; valid until the next one is cut
	ended bool   // a newline follows; otherwise this is a part
	last  bool   // the end of the stream cut it off
}

// A cutter cuts a stream into lines. It copies only what it must keep until
// more has come.
type cutter struct {
	in   []byte // what has come and is not yet cut; not ours
	kept []byte // the beginning of a line whose end has not come
	out  int    // how much of kept has been handed out
	raw  bool   // pieces are what has come, without regard to lines
}

// next is the next whole line or the next part of one that is too long.
func (c *cutter) next() (line, bool) {
	c.forget()
	if c.raw {
		n := len(c.in)
		return line{text: c.take(n)}, n > 0
	}
	end := bytes.IndexByte(c.in, '\n')
	switch {
	case end >= 0 && len(c.kept)+end <= maxLine:
		return line{text: c.take(end + 1), ended: true}, true
	case len(c.kept)+len(c.in) > maxLine:
		return line{text: c.part()}, true
	}
	c.kept = append(c.kept, c.in...)
	c.in = nil
	return line{}, false
}

// rest is the last line, if the stream ended without a newline.
func (c *cutter) rest() (line, bool) {
	c.forget()
	if len(c.kept) == 0 {
		return line{}, false
	}
	return line{text: c.take(0), last: true}, true
}

// take hands out what is kept and n bytes of what has come.
func (c *cutter) take(n int) (text []byte) {
	text = c.in[:n:n]
	if len(c.kept) > 0 {
		c.kept = append(c.kept, text...)
		c.out = len(c.kept)
		text = c.kept
	}
	c.in = c.in[n:]
	return text
}

// part hands out maxLine bytes, or a few less, so that no character is cut.
func (c *cutter) part() []byte {
	n := maxLine - len(c.kept)
	if len(c.kept) == 0 {
		return c.take(whole(c.in[:n]))
	}
	c.kept = append(c.kept, c.in[:n]...)
	c.in = c.in[n:]
	c.out = whole(c.kept)
	return c.kept[:c.out]
}

// forget drops what was handed out of kept, and memory that a long line took.
func (c *cutter) forget() {
	const small = 4 << 10
	if c.out == 0 {
		return
	}
	left := c.kept[c.out:]
	if c.out > small {
		c.kept = nil
	}
	c.kept = append(c.kept[:0], left...)
	c.out = 0
}

// whole is how much of b is left when an incomplete last character is cut off.
func whole(b []byte) int {
	for i := len(b) - 1; i >= 0 && i > len(b)-utf8.UTFMax; i-- {
		if utf8.RuneStart(b[i]) {
			if !utf8.FullRune(b[i:]) {
				return i
			}
			break
		}
	}
	return len(b)
}
