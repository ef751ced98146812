package notify

import "time"

// PerSecond is how many datagrams of a socket are read in any second. The rest
// wait in the kernel, and then their senders do.
const PerSecond = 100

// pace keeps to PerSecond: it remembers when each of the last readings ceases to
// count. The zero value has not read.
type pace struct {
	free [PerSecond]time.Duration
	next int // the oldest
}

// wait is how long it takes until the next reading is permitted.
func (p *pace) wait(now time.Duration) time.Duration { return max(0, p.free[p.next]-now) }

// spend counts a reading.
func (p *pace) spend(now time.Duration) {
	p.free[p.next] = now + time.Second
	p.next = (p.next + 1) % PerSecond
}
