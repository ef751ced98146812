package isolated

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/coppice-go/coppice/child"
)

const (
	// maxRecord is how many bytes a record may have.
	maxRecord = 64 << 10
	// maxDepth is how deep groups may lie in each other; deeper ones are text.
	maxDepth = 8
	// backlog is how many records wait for the parent's log.
	backlog = 256
)

// leastLevel is the least level that the log of the run takes.
func leastLevel(ctx context.Context) slog.Level {
	for _, l := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn} {
		if child.Logger(ctx).Enabled(ctx, l) {
			return l
		}
	}
	return slog.LevelError
}

// A recorder gives the records of a copy to the log of its run, which may be
// slow, or fail, or never return: that holds up nobody, and what comes too fast
// is dropped and counted.
type recorder struct {
	ctx   context.Context // of the run; only its values are used
	queue chan []byte     // nil until there is a record
	lost  uint64          // belongs to who adds
	done  chan struct{}
	begin sync.Once
}

func newRecorder(ctx context.Context) *recorder {
	return &recorder{ctx: context.WithoutCancel(ctx), done: make(chan struct{})}
}

func (r *recorder) add(line []byte) {
	r.begin.Do(func() {
		r.queue = make(chan []byte, backlog)
		go r.run()
	})
	if len(line) > maxRecord {
		r.lost++
		return
	}
	select {
	case r.queue <- line:
	default:
		r.lost++
	}
}

func (r *recorder) run() {
	defer close(r.done)
	for line := range r.queue {
		var exit child.Exit
		child.Serve(r.ctx, child.Func(func(ctx context.Context) error { return deliver(ctx, line) }), &exit, false)
	}
}

// close waits until all records are delivered, or for so long. Nobody adds any
// more.
func (r *recorder) close(wait time.Duration) {
	if r.queue == nil {
		return
	}
	close(r.queue)
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-r.done:
	case <-timer.C:
		return
	}
	if r.lost > 0 {
		child.Logger(r.ctx).Warn("isolated: records of the log were lost", "records", r.lost)
	}
}

// deliver gives one record to the log of the run. It is data: secrets are
// hidden, and nothing in it is a control character.
func deliver(ctx context.Context, line []byte) error {
	attrs, err := readAttrs(ctx, line, maxDepth)
	if err != nil {
		child.Logger(ctx).Debug("isolated: a record of the log cannot be read", "err", err)
		return nil
	}
	r := slog.Record{Time: time.Now(), Level: slog.LevelInfo}
	for _, a := range attrs {
		switch text := a.Value.String(); {
		case a.Key == slog.TimeKey && setTime(&r, text):
		case a.Key == slog.LevelKey && r.Level.UnmarshalText([]byte(text)) == nil:
		case a.Key == slog.MessageKey && r.Message == "":
			r.Message = text
		default:
			r.AddAttrs(a)
		}
	}
	h := child.Logger(ctx).Handler()
	if !h.Enabled(ctx, r.Level) {
		return nil
	}
	return h.Handle(ctx, r)
}

func setTime(r *slog.Record, text string) bool {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err == nil {
		r.Time = t
	}
	return err == nil
}

// readAttrs reads an object, as attributes in its order.
func readAttrs(ctx context.Context, object []byte, depth int) (attrs []slog.Attr, err error) {
	d := json.NewDecoder(bytes.NewReader(object))
	open, err := d.Token()
	if err != nil || open != json.Delim('{') {
		return nil, errors.Join(err, ErrMessage)
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, err
		}
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return nil, err
		}
		value, err := readValue(ctx, raw, depth-1)
		if err != nil {
			return nil, err
		}
		name, _ := key.(string) // it can be nothing else
		attrs = append(attrs, slog.Attr{Key: flat(name), Value: value})
	}
	return attrs, nil
}

// readValue is a value of JSON: an object is a group, a list its text.
func readValue(ctx context.Context, raw json.RawMessage, depth int) (slog.Value, error) {
	switch {
	case raw[0] == '{' && depth > 0:
		attrs, err := readAttrs(ctx, raw, depth)
		return slog.GroupValue(attrs...), err
	case raw[0] == '{' || raw[0] == '[':
		return slog.StringValue(flat(child.Redact(ctx, string(raw)))), nil
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return slog.Value{}, err
	}
	switch v := v.(type) {
	case string:
		return slog.StringValue(flat(child.Redact(ctx, v))), nil
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return slog.Int64Value(n), nil
		}
		if f, err := v.Float64(); err == nil {
			return slog.Float64Value(f), nil
		}
		return slog.StringValue(v.String()), nil // no number of Go's is so large
	}
	return slog.AnyValue(v), nil
}

// newLog is the log of a copy: each record is a message.
func newLog(s *sender, level slog.Level) *slog.Logger {
	return slog.New(slog.NewJSONHandler(recordWriter{s}, &slog.HandlerOptions{
		Level: level,
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Value.Kind() == slog.KindDuration {
				a.Value = slog.StringValue(a.Value.Duration().String())
			}
			return a
		},
	}))
}

type recordWriter struct{ sender *sender }

var _ io.Writer = recordWriter{}

// Write sends one record.
func (w recordWriter) Write(line []byte) (int, error) {
	sent := line
	if len(line) > maxRecord {
		sent = []byte(`{"level":"WARN","msg":"isolated: a record of the log was too long"}`)
	}
	return len(line), w.sender.sendText(record, sent)
}
