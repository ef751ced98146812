package main

import (
	"fmt"
	"io"
	"sync"
)

// output prints lines of several goroutines one after the other.
type output struct {
	mu sync.Mutex // protects to
	to io.Writer
}

func (o *output) line(format string, args ...any) {
	o.mu.Lock()
	defer o.mu.Unlock()
	fmt.Fprintf(o.to, format+"\n", args...)
}
