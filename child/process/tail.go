package process

import (
	"encoding/binary"
	"time"
)

// tailSize is how many bytes are kept of the end of each stream.
const tailSize = 2 << 10

// A tail is the end of one stream: its last lines, the oldest first, packed,
// because most of them are never read.
type tail struct {
	name   string // of the stream
	packed []byte
}

// A packed line is a head and its text.
//
//	0  8  the time in nanoseconds
//	8  8  the number
//	16 2  the length of the text
//	18 1  flags
const (
	head    = 19
	split   = 1
	partial = 2
)

// add keeps a line, or as much of its end as there is room for.
func (t *tail) add(line Line, text []byte) {
	if len(text) > tailSize-head {
		text = text[len(text)-(tailSize-head):]
	}
	drop := 0
	for len(t.packed)-drop+head+len(text) > tailSize {
		drop += head + length(t.packed[drop:])
	}
	var flags byte
	if line.Split {
		flags |= split
	}
	if line.Partial {
		flags |= partial
	}
	t.name = line.Stream
	b := append(t.packed[:0], t.packed[drop:]...)
	b = binary.LittleEndian.AppendUint64(b, uint64(line.Time.UnixNano()))
	b = binary.LittleEndian.AppendUint64(b, line.Seq)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(text)))
	t.packed = append(append(b, flags), text...)
}

func length(packed []byte) int { return int(binary.LittleEndian.Uint16(packed[16:])) }

// lines unpacks them.
func (t *tail) lines() (all []Line) {
	for b := t.packed; len(b) > 0; {
		n := length(b)
		all = append(all, Line{
			Time: time.Unix(0, int64(binary.LittleEndian.Uint64(b))), Seq: binary.LittleEndian.Uint64(b[8:]),
			Stream: t.name, Text: string(b[head : head+n]), Split: b[18]&split != 0, Partial: b[18]&partial != 0,
		})
		b = b[head+n:]
	}
	return all
}
