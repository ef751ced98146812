package child

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"reflect"
	"strings"
	"time"
)

// Data is what of a spec can be shown: names and plain values in the order of
// the spec's fields. The zero value is empty. It shows itself in the four ways
// of showing, so that all of them show the same.
type Data []Datum

// A Datum is one field of a spec.
type Datum struct {
	// Key is the field's name in lower case, with underscores.
	Key string
	// Value is a string, a number, a bool, a Data or a slice of these.
	Value any
}

// Add appends a field if it is there to be shown.
func (d *Data) Add(key string, value any, show bool) {
	if show {
		*d = append(*d, Datum{key, value})
	}
}

// Equal reports whether d and e hold the same fields in the same order.
func (d Data) Equal(e Data) bool { return reflect.DeepEqual(d, e) }

// String shows d as {key: value, ...}.
func (d Data) String() string {
	parts := make([]string, len(d))
	for i, f := range d {
		parts[i] = fmt.Sprintf("%s: %v", f.Key, f.Value)
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// LogValue shows d as a group.
func (d Data) LogValue() slog.Value {
	attrs := make([]slog.Attr, len(d))
	for i, f := range d {
		attrs[i] = slog.Any(f.Key, f.Value)
	}
	return slog.GroupValue(attrs...)
}

// MarshalJSON shows d as an object, its fields in their order.
func (d Data) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, f := range d {
		if i > 0 {
			b.WriteByte(',')
		}
		value, err := json.Marshal(f.Value)
		if err != nil {
			return nil, fmt.Errorf("child: %s: %w", f.Key, err)
		}
		key, _ := json.Marshal(f.Key) // a string always can be
		b.Write(key)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// Grace shows a grace, also those that are no durations. For those who write a
// supervisor, or a spec of their own.
func Grace(d time.Duration) string {
	switch d {
	case BrutalKill:
		return "brutal_kill"
	case math.MaxInt64:
		return "infinity"
	}
	return d.String()
}

// NameOf is how a service or a function is shown: what its String method says,
// the name of a function, or else the type. It never looks into v, which may
// be in use, and contains a String that panics. For those who write a supervisor,
// or a spec of their own.
func NameOf(v any) (name string) {
	if v == nil {
		return "nil"
	}
	defer func() {
		if recover() != nil {
			name = fmt.Sprintf("%T", v)
		}
	}()
	if s, ok := v.(fmt.Stringer); ok {
		return clean(s.String())
	}
	if reflect.TypeOf(v).Kind() == reflect.Func {
		return funcName(v)
	}
	return fmt.Sprintf("%T", v)
}
