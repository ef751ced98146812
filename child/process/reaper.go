package process

import "github.com/coppice-go/coppice/child"

// Reaper is a service that buries orphans: processes whose parent ended before
// them, and that the system has made children of our program. That happens to
// the first process of a container, and to a program that asks for it. Without
// a reaper they stay zombies as long as our program lives.
//
// It never takes the exit status of a process that somebody in this program
// still refers to: one of a command of ours, or one that os/exec or
// os.StartProcess has started and not yet waited for. A process that was
// started by syscall.ForkExec alone looks like an orphan; do not use both.
//
// Why orphans come to our program, or that none do, is in the Status of its
// [child.Facts], which a snapshot of the tree shows.
//
// The zero value buries what comes by itself. It is Linux's: elsewhere
// Validate refuses it.
type Reaper struct {
	// Adopt makes our program the one that the orphans below it come to, while
	// the service runs; if it was that before, it stays it. Optional.
	Adopt bool
}

var _ child.Service = Reaper{}
