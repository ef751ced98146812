package process

import (
	"errors"
	"fmt"
	"sync"
	"time"
)

// ErrIdle is in the end of a process that printed nothing for longer than the
// Idle of its command.
var ErrIdle = errors.New("process: it printed nothing for too long")

// idle ends a process that is silent. The zero value watches nothing.
type idle struct {
	mu    sync.Mutex  // protects timer
	timer *time.Timer // nil while nothing is watched
}

// watch has fail called once the journal has heard nothing for that long.
func (i *idle) watch(limit time.Duration, j *journal, fail func(error)) {
	if limit == 0 {
		return
	}
	j.hear()
	i.mu.Lock()
	defer i.mu.Unlock()
	i.timer = time.AfterFunc(limit, func() {
		i.mu.Lock()
		defer i.mu.Unlock()
		if i.timer == nil {
			return
		}
		if left := limit - j.silence(); left > 0 {
			i.timer.Reset(left)
			return
		}
		fail(fmt.Errorf("%w: nothing in %v", ErrIdle, limit))
	})
}

// rest ends the watch: fail is not called any more.
func (i *idle) rest() {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.timer != nil {
		i.timer.Stop()
		i.timer = nil
	}
}

// hear notes that something was printed.
func (j *journal) hear() { j.heard.Store(int64(time.Since(epoch))) }

// silence is how long nothing was printed.
func (j *journal) silence() time.Duration {
	return time.Since(epoch) - time.Duration(j.heard.Load())
}
