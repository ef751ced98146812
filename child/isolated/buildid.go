package isolated

import (
	"bytes"
	"encoding/binary"
	"io"
	"os"
)

// buildID is the id that the go command has put into the program in file, or
// nothing. It stands near the beginning: as a note in a program in ELF, and as
// text in others.
func buildID(file string) string {
	f, err := os.Open(file)
	if err != nil {
		return ""
	}
	defer f.Close()
	const near = 64 << 10
	start, err := io.ReadAll(io.LimitReader(f, near))
	if err != nil {
		return ""
	}
	if id := noted(start); id != "" {
		return id
	}
	_, rest, _ := bytes.Cut(start, []byte("\xff Go build ID: \""))
	id, _, found := bytes.Cut(rest, []byte("\"\n \xff"))
	if !found {
		return ""
	}
	return string(id)
}

// noted finds a note of Go: three numbers, of which the first is the length of
// the name, the second that of the id and the third the type, then the name.
func noted(b []byte) string {
	const goType, most = 4, 512
	name := []byte("Go\x00\x00")
	for at := 0; ; {
		i := bytes.Index(b[at:], name)
		if i < 0 {
			return ""
		}
		if at += i; at >= 12 {
			for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
				length := order.Uint32(b[at-8:])
				id := b[at+len(name):]
				if order.Uint32(b[at-12:]) == uint32(len(name)) && order.Uint32(b[at-4:]) == goType && length < most && int(length) <= len(id) {
					return string(id[:length])
				}
			}
		}
		at += len(name)
	}
}
