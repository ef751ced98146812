package probe

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/coppice-go/coppice/child"
)

// maxShown is how much of an answer that was not the right one is shown.
const maxShown = 100

// find reads from r until text was in it, and at most limit bytes. If text is
// not there, the error is that of the probe who.
func find(ctx context.Context, who fmt.Stringer, r io.Reader, text string, limit int) error {
	var read bytes.Buffer
	piece := make([]byte, 4<<10)
	r = io.LimitReader(r, int64(limit))
	for searched := 0; ; {
		n, err := r.Read(piece)
		read.Write(piece[:n])
		if bytes.Contains(read.Bytes()[searched:], []byte(text)) {
			return nil
		}
		searched = max(0, read.Len()-len(text))
		switch {
		case errors.Is(err, io.EOF) && ctx.Err() == nil: // the end of ctx may bring that of r about
			return NewError(ctx, who, missing(ctx, text, read.String()), nil)
		case err != nil:
			return NewError(ctx, who, "", err)
		}
	}
}

// missing says what was there in the place of text. It redacts before it cuts
// and quotes: a secret is known by what stands around it.
func missing(ctx context.Context, text, read string) string {
	redacted := child.Redact(ctx, head(read, maxReason))
	shown := head(redacted, maxShown)
	more := ""
	if len(shown) < len(redacted) || len(read) > maxReason {
		more = fmt.Sprintf("... (%d bytes)", len(read))
	}
	return fmt.Sprintf("no %q in %q%s", head(text, maxShown), shown, more)
}
