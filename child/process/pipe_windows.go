package process

import (
	"os"
	"time"
)

// A pipe is our end of a stream. Reading it keeps a thread, and how much lies
// in it at a moment is not asked: the stream ends when the last writer does, or
// deliveryWait after the process.
type pipe struct {
	file *os.File
	buf  []byte
}

func (p *pipe) read() (b []byte, over bool) {
	if p.buf == nil {
		p.buf = make([]byte, 32<<10)
	}
	n, _ := p.file.Read(p.buf) // any error is the end
	return p.buf[:n], n == 0
}

// collect reports that a reader is there already.
func (p *pipe) collect() (unread bool) {
	time.AfterFunc(deliveryWait, func() { _ = p.file.Close() })
	return false
}
