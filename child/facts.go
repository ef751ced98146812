package child

import "context"

// Facts are what a run tells of itself that is a process of its own, or has
// something to say about its state. A service hands them out with [Publish],
// and again whenever they change; a snapshot of the tree shows the last ones.
// The zero value tells nothing.
type Facts struct {
	// PID is the number of the process.
	PID int
	// Containment is what holds it and its descendants together: session,
	// group, or cgroup and the path of that.
	Containment string
	// Guard is what ends it if this program dies: watcher, parent-death
	// signal, or nothing if it is to live on.
	Guard string
	// Status is what it says about itself, in one line without control
	// characters.
	Status string
}

// A Reloader is something published that can be asked to read its
// configuration again, as a process is by SIGHUP. It returns when it has been
// asked; an error says why it could not be.
type Reloader interface {
	// Reload asks, and returns when that is done, or when ctx ends.
	Reload(ctx context.Context) error
}
