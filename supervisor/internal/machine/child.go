package machine

import (
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/strategies"
)

// State is where a child stands.
type State uint8

const (
	// Down: the child has a place and does not run (OTP's undefined).
	Down State = iota
	// Starting: it runs and has not said yet that its start is complete.
	Starting
	// Running: its start is complete.
	Running
	// Restarting: it waits for the moment of its next start.
	Restarting
	// Stopping: it was told to stop and still runs.
	Stopping
	// Stuck: it was killed and still runs.
	Stuck
	// Dead: it has ended, and its exit waits for its turn.
	Dead
)

// live reports whether a run is behind the child.
func (s State) live() bool {
	return s == Starting || s == Running || s == Stopping || s == Stuck
}

// Policy is what the machine has to know of a spec, every default in its place.
// Children that are alike share one.
type Policy struct {
	Restart     child.Restart
	Stuck       child.Stuck
	Supervisor  bool // the place is a supervisor's
	Significant bool
	Announces   bool          // a start is complete when the driver says so
	Calls       bool          // for the driver: and it waits for the run to say so
	Decides     bool          // the spec has a Decide
	OwnThread   bool          // each run wants a new goroutine
	Kills       bool          // a run that is killed dies, as a process does
	Readiness   bool          // for the driver: the spec has a Ready
	Watched     bool          // for the driver: somebody looks whether it is ready or alive
	MaxRun      time.Duration // from when it was ready; 0 is for ever
	Patience    time.Duration
	Grace       time.Duration
	Backoff     strategies.Backoff
}

// Child is a place under a supervisor. What is rarely needed hangs on Past, so
// that an idle child is small.
type Child struct {
	Name        string
	Spec        child.Specer // for the driver: a child.Spec, boxed
	Policy      *Policy
	Run         any   // for the driver: the run that lives
	Past        *Past // nil until it is needed
	Incarnation uint64
	Since       time.Duration // when State began; for a run, when it was ready
	due         time.Duration // when the deadline in the heap is
	pos         int32         // in Machine.kids
	heap        int32         // in Machine.deadlines, from 1; 0 is none
	State       State
	Told        child.Reason // why the run was told to stop
	Killed      bool         // its grace is over
	Leftover    bool         // a run of an earlier life still lives at this place
	again       bool         // RestartAll is to start it
	uncounted   bool         // its next attempt is not counted
	unready     bool         // it was told before its start was complete
	origin      origin       // who asked for the start that is not complete
}

// Past is what a child carries that has failed or is waited for.
type Past struct {
	Restarts uint64        // automatic restarts over the life of the place
	Next     time.Duration // when the next attempt is due, while Restarting
	Wait     time.Duration // the delay that Next comes from
	Log      any           // for the driver
	Held     bool          // somebody has stopped it, and only a call starts it again
	deaths   history
	lived    time.Duration // how long the last run lived, from when it was ready
	delay    time.Duration // state of the backoff
	verdict  Verdict       // while Dead: what the user's code made of Last
	window   strategies.Window
	waiters  []*Request
	counts   *Counts // nil until it is needed; without Starts, and the exits of cause stop
	before   uint64  // incarnations that belong to an earlier place of the name
}

// Live reports whether a run is behind the child.
func (c *Child) Live() bool { return c.State.live() }

// past is the child's Past, made at the first need.
func (c *Child) past() *Past {
	if c.Past == nil {
		c.Past = new(Past)
	}
	return c.Past
}

// WindowCount is how many restarts the child's own window holds.
func (c *Child) WindowCount(now time.Duration, in strategies.Intensity) int {
	if c.Past == nil {
		return 0
	}
	return c.Past.window.Count(now, in)
}
