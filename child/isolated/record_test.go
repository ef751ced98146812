package isolated

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coppice-go/coppice/child"
)

// logged is a runtime with a log.
type logged struct {
	nobody
	log *slog.Logger
}

func (l logged) Logger() *slog.Logger { return l.log }

func logging(h slog.Handler) context.Context {
	return context.WithValue(context.Background(), child.RuntimeKey{}, logged{log: slog.New(h)})
}

func TestARecordIsData(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ line, want string }{
		"a record": {
			`{"time":"2026-01-02T03:04:05Z","level":"ERROR","msg":"m","n":1,"f":1.5,"b":true,"g":{"x":{"y":"z"}},"null":null}`,
			`{"time":"2026-01-02T03:04:05Z","level":"ERROR","msg":"m","n":1,"f":1.5,"b":true,"g":{"x":{"y":"z"}},"null":null}`,
		},
		"groups too deep": {
			`{"time":"2026-01-02T03:04:05Z","level":"WARN","msg":"m","a":{"b":{"c":{"d":{"e":{"f":{"g":{"h":{"i":1}}}}}}}}}`,
			`{"time":"2026-01-02T03:04:05Z","level":"WARN","msg":"m","a":{"b":{"c":{"d":{"e":{"f":{"g":{"h":"{\"i\":1}"}}}}}}}}`,
		},
		"a second message is an attribute": {`{"time":"2026-01-02T03:04:05Z","level":"WARN","msg":"m","msg":"n"}`, `{"time":"2026-01-02T03:04:05Z","level":"WARN","msg":"m","msg":"n"}`},
		"control characters and secrets":   {`{"time":"2026-01-02T03:04:05Z","level":"WARN","msg":"a\u001b[1m","k\n":"password=x"}`, `{"time":"2026-01-02T03:04:05Z","level":"WARN","msg":"a[1m","k ":"password=***"}`},
		"below the level":                  {`{"level":"DEBUG","msg":"m"}`, ""},
		"no object":                        {`[1]`, ""},
		"half an object":                   {`{"a":`, ""},
		"nothing":                          {``, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var b bytes.Buffer
			if err := deliver(logging(slog.NewJSONHandler(&b, nil)), []byte(tt.line)); err != nil {
				t.Fatal(err)
			}
			if got := strings.TrimSpace(b.String()); got != tt.want {
				t.Errorf("%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

func FuzzDeliver(f *testing.F) {
	f.Add([]byte(`{"level":"INFO","msg":"m","g":{"a":[1,{}]},"n":1e999}`))
	ctx := logging(slog.NewJSONHandler(new(bytes.Buffer), nil))
	f.Fuzz(func(t *testing.T, line []byte) {
		if err := deliver(ctx, line); err != nil {
			t.Error(err)
		}
	})
}

// blocking is a handler that takes one record for ever.
type blocking struct{ slog.Handler }

func (blocking) Handle(context.Context, slog.Record) error { select {} }

// panicking is a handler that panics.
type panicking struct{ slog.Handler }

func (panicking) Handle(context.Context, slog.Record) error { panic("no") }

func TestALogThatBlocksHoldsUpNobody(t *testing.T) {
	r := newRecorder(logging(blocking{slog.NewTextHandler(new(bytes.Buffer), nil)}))
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 2 * backlog {
			r.add([]byte(`{"msg":"m"}`))
		}
		r.close(time.Millisecond)
	}()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal("it waits")
	}
	if r.lost < backlog-1 {
		t.Errorf("%d are lost", r.lost)
	}
}

func TestALogThatPanicsIsContained(t *testing.T) {
	synctest.Test(t, func(*testing.T) {
		r := newRecorder(logging(panicking{slog.NewTextHandler(new(bytes.Buffer), nil)}))
		r.add([]byte(`{"msg":"m"}`))
		r.add([]byte(`{"msg":"m"}`))
		r.close(time.Second)
	})
}

func TestCrashesAreRead(t *testing.T) {
	t.Parallel()
	for report, want := range map[string][2]string{
		"panic: ouch\n\ngoroutine 1 [running]:\nmain.f()\n":             {"ouch", "goroutine 1 [running]:\nmain.f()\n"},
		"panic: a\n\tpanic: b\n\ngoroutine 1 [running]:\n":              {"a", "goroutine 1 [running]:\n"},
		"fatal error: all asleep\nruntime stack:\n\ngoroutine 1 [x]:\n": {"all asleep", "goroutine 1 [x]:\n"},
		"SIGQUIT: quit\nPC=1\n\ngoroutine 0":                            {"SIGQUIT: quit", "goroutine 0"},
		"":                                                              {"", ""},
	} {
		if text, stack := crashOf(report); text != want[0] || stack != want[1] {
			t.Errorf("%q is read as %q, %q", report, text, stack)
		}
	}
}

func TestTheShapeOfATypeTellsItFromOthers(t *testing.T) {
	t.Parallel()
	type inner struct{ A int }
	type named struct {
		B    []inner
		Next *named
	}
	seen := map[string]reflect.Type{}
	for _, shaped := range []reflect.Type{
		reflect.TypeFor[func(int) int](), reflect.TypeFor[func(int) string](), reflect.TypeFor[func(named) int](),
		reflect.TypeFor[func(inner) int](), reflect.TypeFor[func([]named) int](), reflect.TypeFor[func([2]named) int](),
		reflect.TypeFor[func(map[string]any) int](), reflect.TypeFor[func(map[string]error) int](),
		reflect.TypeFor[func(struct{ A int }) int](), reflect.TypeFor[func(struct{ A, B int }) int](), reflect.TypeFor[func(*int) int](),
	} {
		s := shapeOf(shaped)
		if other := seen[s]; other != nil {
			t.Errorf("%v and %v are both %s", shaped, other, s)
		}
		seen[s] = shaped
	}
}

func TestTheBuildIDIsThatOfTheGoCommand(t *testing.T) {
	t.Parallel()
	file, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	want, err := exec.Command("go", "tool", "buildid", file).Output()
	if err != nil {
		t.Skip("it needs the go command: ", err)
	}
	if got := buildID(file); got != strings.TrimSpace(string(want)) || got == "" {
		t.Errorf("the build id is %q, and not %q", got, want)
	}
	if got := buildID(file + "x"); got != "" {
		t.Errorf("what is not there has the build id %q", got)
	}
	other := t.TempDir() + "/other"
	if err := os.WriteFile(other, []byte("\xcf\xfa\xff Go build ID: \"a/b\"\n \xffGo\x00\x00"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := buildID(other); got != "a/b" {
		t.Errorf("the build id is %q", got)
	}
}
