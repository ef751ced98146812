package process

import (
	"errors"
	"slices"
	"syscall"

	"github.com/coppice-go/coppice/child"
)

// ErrStatusLost is the end of a process whose exit status somebody else in
// this program took, with a wait for any process. It ended; how, nobody can
// tell any more.
var ErrStatusLost = errors.New("process: another wait in this program took the exit status")

// rules are what of a command is needed for as long as its process runs.
type rules struct {
	name                string
	stop, abort, reload Ladder
	endings             Endings
	leftovers           Leftovers
	detach, terminal    bool
	after               Hook
}

func (c *Command) rules() rules {
	return rules{
		name: c.String(), stop: c.Stop, abort: c.Abort, reload: c.Reload,
		endings: c.Endings, leftovers: c.Leftovers, detach: c.Detach, terminal: c.Containment.Terminal, after: c.After,
	}
}

// verdict is what Serve makes of the end of a process: err is nil, a
// [*child.StatusError], [ErrStatusLost], or what made the run fail. What
// counts as clean is no failure, nor is an end that the ladder asked for.
func (r *rules) verdict(told bool, err error) error {
	var status *child.StatusError
	if !errors.As(err, &status) {
		return err
	}
	end := Status{Code: status.Code, Signal: status.Signal}
	if slices.Contains(r.endings.Clean, end) || told && r.obeyed(end) {
		return nil
	}
	return err
}

// obeyed reports whether this is how a program ends that was asked to: by a
// signal of the ladder, or as a shell tells of that.
func (r *rules) obeyed(end Status) bool {
	for _, sig := range r.stops(true).signals() {
		if end.Signal == sig || end.Signal == 0 && end.Code == 128+int(sig) {
			return true
		}
	}
	return false
}

// stops is the ladder of a stop.
func (r *rules) stops(abort bool) Ladder {
	stop := r.stop
	if stop == nil {
		stop = Terminate()
	}
	if abort {
		return slices.Concat(r.abort, stop)
	}
	return stop
}

// reloads is the ladder of a reload.
func (r *rules) reloads() Ladder {
	if r.reload == nil {
		return Ladder{{Signal: syscall.Signal(1), To: Leader}} // SIGHUP
	}
	return r.reload
}
