package metrics

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/coppice-go/coppice/supervisor"
)

// Action is what an operator can do with a place. A request for it is a POST to
// /action with the form values do, path, and for roll n.
type Action string

const (
	// Read changes nothing. It is not asked for by POST.
	Read Action = "read"
	// Bounce stops and starts the child.
	Bounce Action = "bounce"
	// Terminate stops the child and keeps it stopped; see [supervisor.Ref.Hold].
	Terminate Action = "terminate"
	// Begin starts a child that is down.
	Begin Action = "start"
	// Reload asks the child to read its configuration again.
	Reload Action = "reload"
	// RestartAll restarts all children of a supervisor at once.
	RestartAll Action = "restart_all"
	// Roll restarts the children of a supervisor n at a time; see
	// [supervisor.Ref.Roll].
	Roll Action = "roll"
)

// actions are those that change something.
var actions = []Action{Bounce, Terminate, Begin, Reload, RestartAll, Roll}

// actionTime is how long an answer is waited for. What was begun goes on.
const actionTime = time.Minute

// do does it.
func (a Action) do(ctx context.Context, at supervisor.Ref, n int) error {
	switch a {
	case Terminate:
		return at.Hold(ctx)
	case Reload:
		return at.Reload(ctx)
	case RestartAll:
		return at.RestartAll(ctx)
	case Roll:
		return at.Roll(ctx, n)
	case Begin:
		if s, err := at.Status(); err != nil || s.State != supervisor.Down {
			return errNotDown
		}
	}
	return at.Bounce(ctx) // it starts what is down
}

var errNotDown = actionError("it is not down")

// actionError is an answer of ours.
type actionError string

func (e actionError) Error() string { return string(e) }

// serveAction does what a form asks for, and notes who asked for it.
func (s *site) serveAction(w http.ResponseWriter, r *http.Request) {
	if err := s.cross.Check(r); err != nil {
		http.Error(w, err.Error(), http.StatusForbidden)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, longest)
	do, path := Action(r.PostFormValue("do")), r.PostFormValue("path")
	if !slices.Contains(actions, do) {
		http.Error(w, "no such action", http.StatusBadRequest)
		return
	}
	n, _ := strconv.Atoi(r.PostFormValue("n"))
	audit := s.Logger.With("action", string(do), "path", clean(path), "remote", r.RemoteAddr)
	if !s.may(r, Access{do, path}) {
		audit.Warn("operator refused")
		http.Error(w, "forbidden", http.StatusForbidden)
		return
	}
	// Who asks may go away: what was begun goes on.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), actionTime)
	defer cancel()
	audit.Info("operator asks")
	s.feed.audit(do, path, "asked")
	err := do.do(ctx, s.sup.Find(path), n)
	answer := struct {
		Done  bool   `json:"done"`
		Error string `json:"error,omitempty"`
	}{Done: err == nil}
	code := http.StatusOK
	if err != nil {
		answer.Error, code = clean(err.Error()), http.StatusConflict
		audit.Warn("operator's action failed", "error", answer.Error)
	}
	s.feed.audit(do, path, answer.Error)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(answer)
}
