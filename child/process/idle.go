package process

import (
	"errors"
	"sync"
	"time"

	"github.com/coppice-go/coppice/child"
)

// ErrIdle is in the end of a process that printed nothing for longer than the
// Idle of its command. The exit has the kind KilledByUs and the reason
// [child.ByBeat]: a line of its output is its sign of life.
var ErrIdle = errors.New("process: it printed nothing for too long")

// An idleError is an [ErrIdle] that says for how long.
type idleError time.Duration

func (e idleError) Error() string {
	return "process: it printed nothing for " + time.Duration(e).String()
}

func (e idleError) Unwrap() error { return ErrIdle }

func (e idleError) StopReason() child.Reason { return child.ByBeat }

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
		fail(idleError(limit))
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
