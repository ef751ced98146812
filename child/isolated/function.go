package isolated

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"sync"
)

// A Function is a Go function that can run in a copy of the program. Register
// makes it; it never changes.
type Function[In, Out any] struct{ entry *entry }

// Register makes f known under a name that no other function has, in this
// program and in its copies. It belongs to the level of the package:
//
//	var work = isolated.Register("work", func(ctx context.Context, in In) (Out, error) { ... })
//
// so that the copy, which does not get beyond the hook in main, has it too. A
// second function of one name, one without a name, and one that is nil are a
// panic.
//
// The argument and the result travel as JSON: what their types do not show
// there does not arrive, and nothing is shared.
func Register[In, Out any](name string, f func(ctx context.Context, in In) (Out, error)) *Function[In, Out] {
	if f == nil || name == "" {
		panic("isolated: a function needs a name and may not be nil: " + name)
	}
	e := &entry{name: name, shape: shapeOf(reflect.TypeFor[func(In) Out]())}
	e.prepare = func(argument json.RawMessage) (body, error) {
		var in In
		if err := json.Unmarshal(argument, &in); err != nil {
			return nil, err
		}
		return func(ctx context.Context) (any, error) { return f(ctx, in) }, nil
	}
	functions.add(e)
	return &Function[In, Out]{e}
}

// Name is the name that the function is registered under.
func (f *Function[In, Out]) Name() string { return f.entry.name }

// With is the service that runs f with the argument in, in a process of its
// own for each run. Its further fields may be set.
func (f *Function[In, Out]) With(in In) Service[In, Out] {
	return Service[In, Out]{Function: f, Arg: in}
}

// Call runs f once, outside of any tree, and returns what it returned; nobody
// hears its log and its output. When ctx ends, the copy is told to stop and has
// child.DefaultShutdown for that.
func (f *Function[In, Out]) Call(ctx context.Context, in In) (out Out, err error) {
	s := f.With(in)
	s.Result = func(_ context.Context, result Out) { out = result }
	err = s.Serve(ctx)
	return out, err
}

// A body is a function with its argument.
type body func(ctx context.Context) (result any, err error)

// An entry is a function without its types.
type entry struct {
	name    string
	shape   string
	prepare func(argument json.RawMessage) (body, error)
}

// functions are those of this program.
var functions = registry{entries: map[string]*entry{}}

type registry struct {
	mu      sync.Mutex // protects entries
	entries map[string]*entry
}

func (r *registry) add(e *entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.entries[e.name] != nil {
		panic("isolated: two functions are registered as " + e.name)
	}
	r.entries[e.name] = e
}

// find is what the task asks for, or why there is no such thing.
func (r *registry) find(t taskMessage) (body, error) {
	r.mu.Lock()
	e := r.entries[t.Name]
	r.mu.Unlock()
	if e == nil {
		return nil, fmt.Errorf("no function is registered as %q in a copy of the program: call Register at the level of the package, so that it runs before main", t.Name)
	}
	if e.shape != t.Shape {
		return nil, fmt.Errorf("the function %q is %s here, and %s in the program that calls it", t.Name, e.shape, t.Shape)
	}
	b, err := e.prepare(t.Argument)
	if err != nil {
		return nil, fmt.Errorf("the argument of %q cannot be read: %w", t.Name, err)
	}
	return b, nil
}

// shapeOf is t with everything in it that JSON knows, so that two programs can
// compare what they take for the same type.
func shapeOf(t reflect.Type) string {
	var b strings.Builder
	writeShape(&b, t, map[reflect.Type]bool{})
	const most = 4 << 10
	s := b.String()
	return s[:min(len(s), most)]
}

func writeShape(b *strings.Builder, t reflect.Type, seen map[reflect.Type]bool) {
	if t.Name() != "" {
		b.WriteString(t.String())
	}
	if seen[t] || t.PkgPath() == "" && t.Name() != "" {
		return
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Func:
		b.WriteString("func(")
		writeShape(b, t.In(0), seen)
		b.WriteString(") ")
		writeShape(b, t.Out(0), seen)
	case reflect.Pointer, reflect.Slice:
		b.WriteString(map[reflect.Kind]string{reflect.Pointer: "*", reflect.Slice: "[]"}[t.Kind()])
		writeShape(b, t.Elem(), seen)
	case reflect.Array:
		fmt.Fprintf(b, "[%d]", t.Len())
		writeShape(b, t.Elem(), seen)
	case reflect.Map:
		b.WriteString("map[")
		writeShape(b, t.Key(), seen)
		b.WriteString("]")
		writeShape(b, t.Elem(), seen)
	case reflect.Struct:
		b.WriteString("{")
		for i := range t.NumField() {
			if f := t.Field(i); f.IsExported() || f.Anonymous {
				b.WriteString(" " + f.Name + " ")
				writeShape(b, f.Type, seen)
				b.WriteString(";")
			}
		}
		b.WriteString(" }")
	default:
		b.WriteString(t.Kind().String())
	}
}
