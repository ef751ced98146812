package main

import (
	"fmt"
	"io"
	"time"
)

// story tells what happened, each line with the time since the one before.
type story struct {
	out  io.Writer
	last time.Time
}

func newStory(out io.Writer) *story { return &story{out: out, last: time.Now()} }

func (s *story) tell(format string, args ...any) {
	now := time.Now()
	fmt.Fprintf(s.out, "%8v  %s\n", now.Sub(s.last).Round(time.Millisecond), fmt.Sprintf(format, args...))
	s.last = now
}
