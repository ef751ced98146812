package isolated

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
)

func TestFramesThatAreNone(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		bytes string
		want  error
	}{
		"nothing":             {"", io.EOF},
		"half a header":       {"\x0c\x00", io.ErrUnexpectedEOF},
		"no payload":          {"\x0c\x00\x00\x00\x02", io.ErrUnexpectedEOF},
		"half a payload":      {"\x0c\x00\x00\x00\x02{", io.ErrUnexpectedEOF},
		"kind zero":           {"\x00\x00\x00\x00\x00", ErrMessage},
		"a kind from nowhere": {string([]byte{byte(kinds), 0, 0, 0, 0}), ErrMessage},
		"a byte too many":     {string(binary.BigEndian.AppendUint32([]byte{byte(end)}, maxMessage+1)), ErrMessage},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := readFrame(strings.NewReader(tt.bytes)); !errors.Is(err, tt.want) {
				t.Errorf("the error is %v, want %v", err, tt.want)
			}
		})
	}
}

func TestAFrameArrivesAsItWasSent(t *testing.T) {
	t.Parallel()
	ours, theirs := net.Pipe()
	defer ours.Close()
	s := &sender{conn: ours}
	go func() {
		_ = s.send(beat, nil)
		_ = s.sendText(record, []byte("text"))
		_ = s.send(pong, pingMessage{ID: 7, Err: "no"})
	}()
	for _, want := range []frame{{beat, nil}, {record, []byte("text")}, {pong, []byte(`{"ID":7,"Err":"no"}`)}} {
		f, err := readFrame(theirs)
		if err != nil || f.kind != want.kind || !bytes.Equal(f.payload, want.payload) {
			t.Errorf("%v %s, %v; want %v %s", f.kind, f.payload, err, want.kind, want.payload)
		}
	}
	if err := s.sendText(record, make([]byte, maxMessage+1)); err == nil {
		t.Error("a message that is too long was sent")
	}
	_ = theirs.Close()
	for range 2 {
		if s.send(beat, nil) == nil {
			t.Error("a message to nobody was sent")
		}
	}
}

func FuzzReadFrame(f *testing.F) {
	f.Add([]byte("\x0c\x00\x00\x00\x02{}\x08\x00\x00\x00\x00"))
	f.Add([]byte("\x01\x7f\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r := bytes.NewReader(b)
		var again bytes.Buffer
		for {
			got, err := readFrame(r)
			if err != nil {
				break
			}
			if got.kind == 0 || got.kind >= kinds || len(got.payload) > maxMessage {
				t.Fatalf("kind %d with %d bytes", got.kind, len(got.payload))
			}
			again.Write(append(binary.BigEndian.AppendUint32([]byte{byte(got.kind)}, uint32(len(got.payload))), got.payload...))
		}
		if !bytes.HasPrefix(b, again.Bytes()) {
			t.Errorf("%q was read as %q", b, again.Bytes())
		}
	})
}
