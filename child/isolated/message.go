package isolated

import "encoding/json"

// A taskMessage is what a copy is for.
type taskMessage struct {
	Name        string          // of the function
	Shape       string          // of its argument and result, as the parent has them
	Build       string          // of the parent's program, where it is started by path
	Argument    json.RawMessage // as JSON
	Path        string          // of the child
	Incarnation uint64          // of the child
	Beats       bool            // somebody listens
	Level       int             // below which nobody wants records of the log
}

// A stopMessage says why the context ends.
type stopMessage struct {
	Reason string // a child.Reason in its word
	Cause  string // the text of context.Cause
}

// A pingMessage is a question, and with Err the answer.
type pingMessage struct {
	ID  uint64
	Err string
}

// An endMessage is how the function ended: by its result, unless anything else
// is set.
type endMessage struct {
	Result    json.RawMessage `json:",omitempty"` // as JSON; none if it failed or was told to stop
	Failed    bool            // it returned an error
	Text      string          // of the error, or of the panic's value
	Never     bool            // the error is suture.ErrDoNotRestart
	Terminate bool            // the error is suture.ErrTerminateSupervisorTree
	Goexit    bool            // its goroutine ended
	Panicked  bool            // it panicked, with Text and Stack
	Stack     string
}
