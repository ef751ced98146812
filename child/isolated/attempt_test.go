package isolated

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/child/process"
)

func TestGoInTheCopyIsToldItsLimits(t *testing.T) {
	t.Parallel()
	const limit = 1000 << 20
	for name, tt := range map[string]struct {
		command process.Command
		held    held
		want    string
	}{
		"no limit":                      {want: ""},
		"memory of a control group":     {held: held{memory: limit}, want: "GOMEMLIMIT=943718400"},
		"memory of its data":            {held: held{memory: limit, data: true}, want: "GOMEMLIMIT=943718400"},
		"a control group of the user's": {command: process.Command{Containment: process.Containment{MaxMemory: limit}}, want: "GOMEMLIMIT=943718400"},
		"half a processor":              {command: process.Command{Containment: process.Containment{MaxCPU: 0.5}}, want: "GOMAXPROCS=1"},
		"more than two processors":      {command: process.Command{Containment: process.Containment{MaxCPU: 2.1}}, want: "GOMAXPROCS=3"},
		"the user's word":               {command: process.Command{Env: []string{"GOMEMLIMIT=off"}}, held: held{memory: limit}, want: "GOMEMLIMIT=943718400 GOMEMLIMIT=off"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := attempt{entry: &entry{name: "work"}, command: tt.command}
			c := a.plan(tt.held)
			if got := strings.Join(c.Env[:len(c.Env)-1], " "); got != tt.want {
				t.Errorf("the environment is %q, want %q", got, tt.want)
			}
			if grouped := c.Containment.Cgroup && c.Containment.MaxMemory == limit; grouped != (tt.held.memory > 0 && !tt.held.data) {
				t.Errorf("the containment is %+v", c.Containment)
			}
			data := process.Limit{Name: "data", Soft: limit, Hard: limit}
			if slices.Contains(c.System.Limits, data) != tt.held.data {
				t.Errorf("the limits are %+v", c.System.Limits)
			}
		})
	}
}

func TestOurStreamsComeAfterTheUsers(t *testing.T) {
	t.Parallel()
	a := attempt{entry: &entry{name: "work"}, command: process.Command{
		Streams: make([]process.Stream, 2, 9), Sockets: make([]process.Socket, 1), Env: make([]string, 0, 9),
	}}
	c := a.plan(held{})
	if c.Env[len(c.Env)-1] != marker+"=6" || c.Streams[2].Name != talkStream || len(c.Streams) != 4 {
		t.Errorf("%v %v", c.Env, c.Streams)
	}
	if kept := a.command.Streams[:3]; kept[2].Name != "" {
		t.Error("the user's slice was written to")
	}
}

func TestTheVerdictTellsTheCause(t *testing.T) {
	t.Parallel()
	told, cancel := context.WithCancel(t.Context())
	cancel()
	status := func(code int) error { return &child.StatusError{Code: code} }
	oom := &child.StatusError{Signal: killSignal, OOM: true}
	quota := &process.QuotaError{Resource: "memory"}
	word := func(said bool) *talk {
		t := new(talk)
		t.said.Store(said)
		return t
	}
	ended := func(m endMessage) *talk {
		t := word(true)
		t.ended = &m
		return t
	}
	fatality := "fatal error: runtime: out of memory\nruntime stack:\n\ngoroutine 1 [running]:\n"
	for name, tt := range map[string]struct {
		ctx    context.Context //nolint:containedctx // it is the table's
		err    error
		talk   *talk
		report string
		clean  []process.Status
		want   string // of the exit
	}{
		"it never started":                      {err: &child.StartError{Err: errors.New("no")}, want: "failed to start: no"},
		"a result":                              {talk: ended(endMessage{}), want: "normal"},
		"a result and then a kill":              {err: oom, talk: ended(endMessage{}), want: "normal"},
		"an error and the code that goes along": {err: status(1), talk: ended(endMessage{Failed: true, Text: "broke"}), want: "error: broke"},
		"a quota, whatever it said":             {err: quota, talk: ended(endMessage{}), want: "killed (limit): " + quota.Error()},
		"a status that was lost":                {err: process.ErrStatusLost, talk: ended(endMessage{}), want: "normal"},
		"a lost status without a word":          {err: process.ErrStatusLost, talk: word(true), want: "error: " + process.ErrStatusLost.Error()},
		"a code":                                {err: status(3), talk: word(true), want: "exit code 3"},
		"a code of a refusal":                   {err: status(1), talk: &talk{refused: true, why: "other"}, want: "failed to start: isolated: other"},
		"the code zero":                         {talk: word(true), want: "error: " + ErrNoResult.Error()},
		"the code zero without a word":          {talk: word(false), want: "failed to start: " + ErrNoHook.Error()},
		"the code zero after a stop":            {ctx: told, talk: word(true), want: "normal"},
		"a code that is clean":                  {talk: word(true), clean: []process.Status{{Code: 3}}, want: "normal"},
		"a crash":                               {err: status(2), talk: word(true), report: "panic: ouch\n\ngoroutine 1 [running]:\n", want: "panic: ouch"},
		"a kill in the middle of a crash":       {err: oom, talk: word(true), report: "panic: ouch\n", want: "killed (limit): isolated: more memory than the limit of 9 bytes: signal: killed (out of memory)"},
		"a crash for want of memory":            {err: status(2), talk: word(true), report: fatality, want: "killed (limit): isolated: more memory than the limit of 9 bytes: runtime: out of memory"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := tt.ctx
			if ctx == nil {
				ctx = t.Context()
			}
			a := attempt{memory: 9, command: process.Command{Endings: process.Endings{Clean: tt.clean}}}
			exit := child.ExitOf(a.limited(a.verdict(ctx, tt.err, tt.talk, tt.report)))
			if exit.String() != tt.want {
				t.Errorf("the exit is %q, want %q", exit, tt.want)
			}
		})
	}
}
