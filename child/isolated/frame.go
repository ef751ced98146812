package isolated

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// MaxValue is how many bytes an argument or a result may have as JSON.
const MaxValue = 4 << 20

// maxMessage is how many bytes a message may have: a value and some words.
const maxMessage = MaxValue + 64<<10

// kind says what a frame is.
type kind byte

const (
	// From the parent to the copy.
	task   kind = iota + 1 // which function to run, and with what
	stop                   // the context ends
	killed                 // the grace is over
	ping                   // are you alive

	// From the copy to the parent.
	hello   // the first word: the function is there and has its argument
	refusal // the first and last word: why there is nothing to run
	ready   // the function says that its start is complete
	beat    // the function is alive
	pong    // the answer to a ping
	record  // a record of the log
	status  // what the function says about itself
	end     // how the function has ended
	kinds
)

// A frame is one message: its kind in a byte, the length of the payload in
// four, the payload.
type frame struct {
	kind    kind
	payload []byte
}

const header = 5

// readFrame reads a frame. It believes no length: room for the payload is made
// as it comes.
func readFrame(r io.Reader) (frame, error) {
	var head [header]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return frame{}, err
	}
	f, length := frame{kind: kind(head[0])}, binary.BigEndian.Uint32(head[1:])
	if f.kind == 0 || f.kind >= kinds || length > maxMessage {
		return frame{}, fmt.Errorf("%w: kind %d of %d bytes", ErrMessage, f.kind, length)
	}
	if length == 0 {
		return f, nil
	}
	var b bytes.Buffer
	_, err := io.CopyN(&b, r, int64(length))
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	f.payload = b.Bytes()
	return f, err
}

// A sender writes frames, each in one piece, for any number of goroutines.
type sender struct {
	conn net.Conn

	mu  sync.Mutex // protects err; who writes holds it
	err error      // a frame was not written, or not all of it: nothing follows
}

// send writes a frame. A value is its payload as JSON; nil is none.
func (s *sender) send(k kind, value any) error {
	b := []byte{byte(k), 0, 0, 0, 0}
	if value != nil {
		payload, err := json.Marshal(value)
		if err != nil {
			return err
		}
		b = append(b, payload...)
	}
	return s.write(b)
}

// sendText writes a frame around text.
func (s *sender) sendText(k kind, text []byte) error {
	return s.write(append([]byte{byte(k), 0, 0, 0, 0}, text...))
}

func (s *sender) write(b []byte) error {
	length := len(b) - header
	if length > maxMessage {
		return fmt.Errorf("isolated: a message of %d bytes; at most %d are allowed", length, maxMessage)
	}
	binary.BigEndian.PutUint32(b[1:header], uint32(length))
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		_, s.err = s.conn.Write(b)
	}
	return s.err
}

// within has what is written from now on fail when it takes longer.
func (s *sender) within(d time.Duration) { _ = s.conn.SetWriteDeadline(time.Now().Add(d)) }
