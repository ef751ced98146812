package process

import (
	"bytes"
	"context"
	"io"
	"log/slog"

	"github.com/coppice-go/coppice/child"
)

// A sink takes the lines of one stream. It may do what it likes; the pump that
// calls it is prepared.
type sink func(line) error

// sink is where the lines of the stream go that is called name, and what is to
// be called after the last of them.
func (o Output) sink(ctx context.Context, name string) (sink, func()) {
	nothing := func() {}
	switch {
	case o.To == Keep:
		return func(line) error { return nil }, nothing
	case o.To == File:
		return writeFile(o.File)
	case o.Writer != nil:
		return writeLines(o.Writer), nothing
	}
	return logLines(ctx, name), nothing
}

func writeLines(w io.Writer) sink {
	return func(l line) error {
		if l.last {
			l.text = append(l.text[:len(l.text):len(l.text)], '\n')
		}
		n, err := w.Write(l.text)
		if err == nil && n < len(l.text) {
			return io.ErrShortWrite
		}
		return err
	}
}

// logLines redacts before it cleans: a secret is found by the white space
// before it, which cleaning makes into text.
func logLines(ctx context.Context, name string) sink {
	ctx = context.WithoutCancel(ctx) // the last lines come after the end of ctx
	logger := child.Logger(ctx)
	return func(l line) error {
		if !logger.Enabled(ctx, slog.LevelInfo) {
			return nil
		}
		text := bytes.TrimSuffix(bytes.TrimSuffix(l.text, []byte("\n")), []byte("\r"))
		attrs := make([]slog.Attr, 0, 3)
		attrs = append(attrs, slog.String("stream", name), slog.String("line", printable(child.Redact(ctx, string(text)))))
		if !l.ended {
			attrs = append(attrs, slog.Bool("partial", true))
		}
		logger.LogAttrs(ctx, slog.LevelInfo, "output", attrs...)
		return nil
	}
}
