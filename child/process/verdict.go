package process

import (
	"errors"

	"github.com/coppice-go/coppice/child"
)

// ErrStatusLost is the end of a process whose exit status somebody else in
// this program took, with a wait for any process. It ended; how, nobody can
// tell any more.
var ErrStatusLost = errors.New("process: another wait in this program took the exit status")

// verdict is what Serve makes of the end of a process: err is nil, a
// [*child.StatusError] or [ErrStatusLost]. Obeying is no failure.
func verdict(told bool, err error) error {
	var status *child.StatusError
	if told && errors.As(err, &status) && obeyed(status) {
		return nil
	}
	return err
}
