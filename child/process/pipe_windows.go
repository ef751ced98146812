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

func (p *pipe) init(file *os.File) error {
	p.file = file
	p.buf = make([]byte, 32<<10)
	return nil
}

func (p *pipe) read() ([]byte, bool) {
	n, _ := p.file.Read(p.buf) // any error is the end
	return p.buf[:n], n > 0
}

func (p *pipe) collect() { time.AfterFunc(deliveryWait, p.close) }

func (p *pipe) close() { _ = p.file.Close() }
