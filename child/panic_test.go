package child_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"github.com/coppice-go/coppice/child"
)

// text is a Stringer, number is not, and silent panics when it is asked.
type (
	text   string
	number int
	silent struct{}
)

func (s text) String() string { return "<" + string(s) + ">" }
func (silent) String() string { panic("I say nothing") }

// goner ends the goroutine that asks it.
type goner struct{}

func (goner) String() string {
	runtime.Goexit()
	return ""
}

func TestAPanicsTextIsWhatItsValueSays(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		value any
		want  string
	}{
		{"ouch", "ouch"},
		{errPlain, "no more disk"},
		{text("hi"), "<hi>"},
		{7, "7"},
		{-0.5, "-0.5"},
		{true, "true"},
		{2i, "(0+2i)"},
		{number(7), "a value of type child_test.number"},
		{[]byte("bytes"), "a value of type []uint8"},
		{struct{ Password string }{password}, "a value of type struct { Password string }"},
		{silent{}, "child_test.silent, whose methods panic"},
		{goner{}, "child_test.goner, whose methods panic"},
		{nil, new(runtime.PanicNilError).Error()},
	} {
		exit := serve(panics(tt.value))
		var p *child.PanicError
		if exit.Kind != child.Panicked || !errors.As(exit, &p) {
			t.Fatalf("%T: got %v", tt.value, exit)
		}
		if p.Error() != tt.want || exit.Text() != tt.want || exit.String() != "panic: "+tt.want {
			t.Errorf("%T: got %q, %q, %q, want %q", tt.value, p, exit.Text(), exit, tt.want)
		}
	}
	exit := serve(child.Func(nil))
	var fault runtime.Error
	if !errors.As(exit, &fault) {
		t.Errorf("a nil dereference is no runtime.Error: %v", exit)
	}
}

func TestAPanicsValueIsNeverLookedInto(t *testing.T) {
	t.Parallel()
	l := newLive(t)
	for name, exit := range map[string]child.Exit{
		"a panic with something live":            serve(panics(l)),
		"a panic with a struct":                  serve(panics(struct{ *live }{l})),
		"a panic with an error around it":        serve(panics(liveError{l})),
		"an error around something live":         serve(returns(liveError{l})),
		"one inside another":                     serve(returns(fmt.Errorf("db: %w", liveError{l}))),
		"a start with something live in its way": serve(returns(&child.StartError{Err: liveError{l}})),
	} {
		shown := fmt.Sprintf("%v %+v %s %#v", exit, exit, exit, exit)
		for _, part := range []any{exit, &exit, struct{ Exit child.Exit }{exit}} {
			data, err := json.Marshal(part)
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			shown += " " + string(data)
		}
		var p *child.PanicError
		if errors.As(exit, &p) {
			data, err := json.Marshal(p)
			shown += fmt.Sprintf(" %v %+v %s %#v %s %v", p, p, p, p, data, err)
		}
		if strings.Contains(shown, password) {
			t.Errorf("%s shows what is in it: %s", name, shown)
		}
	}
}

func TestAnExitAsJSONIsItsDataAndTheTextOfItsError(t *testing.T) {
	t.Parallel()
	failed := serve(returns(&child.StartError{Err: errPlain, Temporary: true}))
	killed := serve(returns(&child.StatusError{Signal: 9, Core: true}))
	killed.Reason = child.ByPing
	for _, tt := range []struct {
		exit child.Exit
		want string
	}{
		{child.Exit{}, `{"kind":"normal"}`},
		{failed, `{"kind":"start_failed","temporary":true,"text":"no more disk"}`},
		{serve(returns(&child.StatusError{Code: 3})), `{"kind":"code","code":3,"text":"exit code 3"}`},
		{killed, `{"kind":"signal","reason":"ping","core":true,"signal":9,"text":"signal: killed (core dumped)"}`},
		{serve(panics(errPlain)), `{"kind":"panic","text":"no more disk"}`},
	} {
		if got, err := json.Marshal(tt.exit); string(got) != tt.want || err != nil {
			t.Errorf("got %s, %v, want %s", got, err, tt.want)
		}
	}
	if got, want := fmt.Sprintf("%#v", failed), "child.Exit{kind: start_failed, temporary: true, text: no more disk}"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

//go:noinline
func fallIntoThePit(ctx context.Context) error { return dig(ctx, 3) }

//go:noinline
func dig(ctx context.Context, depth int) error {
	if depth == 0 {
		panic("nothing to stand on")
	}
	return dig(ctx, depth-1)
}

func TestAPanicShowsItsStackFromTheInnermostCallToTheRun(t *testing.T) {
	t.Parallel()
	const here = "github.com/coppice-go/coppice/child_test."
	stack := func(s child.Service) (functions []string) {
		var p *child.PanicError
		if !errors.As(serve(s), &p) {
			t.Fatal("no panic")
		}
		for line := range strings.Lines(p.Stack()) {
			if !strings.HasPrefix(line, "\t") {
				functions = append(functions, strings.TrimSpace(line))
			} else if !strings.Contains(line, ".go:") {
				t.Errorf("no place: %q", line)
			}
		}
		return functions
	}
	want := []string{
		here + "dig", here + "dig", here + "dig", here + "dig", here + "fallIntoThePit",
		"github.com/coppice-go/coppice/child.Func.Serve",
	}
	if got := stack(child.Func(fallIntoThePit)); strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("got %q, want %q", got, want)
	}
	var index []int
	fault := child.Func(func(context.Context) error { return fmt.Errorf("%d", index[3]) })
	if got := stack(fault); !strings.HasPrefix(got[0], here+"TestAPanicShowsItsStack") {
		t.Errorf("a fault found by the runtime begins with %q", got[0])
	}
	deep := child.Func(func(ctx context.Context) error { return dig(ctx, 1000) })
	if got := stack(deep); len(got) > 64 || len(got) < 60 || got[0] != here+"dig" {
		t.Errorf("of a deep stack %d calls are kept", len(got))
	}
}

//go:noinline
func risky() (err error) {
	defer func() { err = child.Recovered(recover()) }()
	return dig(context.Background(), 1)
}

func TestRecoveredIsAPanicAsAnErrorWithItsStack(t *testing.T) {
	t.Parallel()
	var p *child.PanicError
	if err := risky(); !errors.As(err, &p) || p.Error() != "nothing to stand on" {
		t.Fatalf("got %v", err)
	}
	first, _, _ := strings.Cut(p.Stack(), "\n")
	if !strings.HasSuffix(first, ".dig") || !strings.Contains(p.Stack(), ".risky") {
		t.Errorf("got %s", p.Stack())
	}
}

func TestACrashKeepsTheStackOfItsPanic(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), crashVariable+"=1")
	output, err := cmd.CombinedOutput()
	var status *exec.ExitError
	if !errors.As(err, &status) || status.ExitCode() != 2 {
		t.Fatalf("it ended with %v:\n%s", err, output)
	}
	for _, want := range []string{"panic: nothing to stand on", "child_test.dig(", "child_test.fallIntoThePit(", "panic_test.go:"} {
		if !strings.Contains(string(output), want) {
			t.Errorf("%q is missing:\n%s", want, output)
		}
	}
}

func TestACrashIsForPanicsOnly(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]child.Kind{"a goexit": child.Goexited, "an error": child.Failed, "a return": child.Normal} {
		var exit child.Exit
		done := make(chan struct{})
		go func() {
			defer close(done)
			child.Serve(t.Context(), exits[name].run, &exit, true)
		}()
		<-done
		if exit.Kind != want {
			t.Errorf("%s: got %v", name, exit)
		}
	}
}

func TestAPanicElsewhereIsThePanicOfTheRun(t *testing.T) {
	t.Parallel()
	cause := errors.New("ouch")
	elsewhere := child.PanicElsewhere(cause, "main.f()\n\tf.go:1\n")
	exit := child.ExitOf(elsewhere)
	if exit.Kind != child.Panicked || exit.String() != "panic: ouch" || !errors.Is(exit, cause) || elsewhere.Stack() != "main.f()\n\tf.go:1\n" {
		t.Errorf("%v with the stack %s", exit, elsewhere.Stack())
	}
	if exit := child.ExitOf(fmt.Errorf("about %w", elsewhere)); exit.Kind != child.Failed {
		t.Errorf("an error about a panic is %v", exit.Kind)
	}
}
