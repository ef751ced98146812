package probe

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/coppice-go/coppice/child"
)

// maxReason bounds the text that is made into the reason of an error.
const maxReason = 512

// An Error is why a probe failed, in one line without control characters.
type Error struct {
	// Probe is who was asked, as in GET http://localhost:8080/healthz.
	Probe string
	// Reason is what was wrong, as in status 503, want 200-399.
	Reason string
	// Err is the error behind it. It is nil if there was an answer that was
	// not the one wanted, and the context's error if there was none in time.
	Err error
}

// NewError is the error of the probe who, as those of this package make it, for
// a probe of one's own. An empty reason is the text of err, or of the end of
// ctx. The reason is redacted by the rule of the run that ctx belongs to, made
// one line and cut to half a kilobyte before what does not print is escaped.
func NewError(ctx context.Context, who fmt.Stringer, reason string, err error) *Error {
	if end := ended(ctx, err); end != nil {
		err = end
	}
	switch {
	case reason != "":
	case errors.Is(err, context.DeadlineExceeded):
		reason = "no answer in time"
	case errors.Is(err, context.Canceled):
		reason = "given up before there was an answer"
	case err != nil:
		reason = err.Error()
	default:
		reason = "failed"
	}
	return &Error{Probe: oneLine(who.String()), Reason: oneLine(child.Redact(ctx, reason)), Err: err}
}

// ended is the end of ctx, or what in err says that the deadline is over: a
// dial or a client watches it with a clock of its own, which may be ahead.
func ended(ctx context.Context, err error) error {
	if end := ctx.Err(); end != nil {
		return end
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) {
		return context.DeadlineExceeded
	}
	return nil
}

// Error is the probe and the reason.
func (e *Error) Error() string { return e.Probe + ": " + e.Reason }

// Unwrap is Err.
func (e *Error) Unwrap() error { return e.Err }

// oneLine cuts s, and escapes it if anything in it does not print.
func oneLine(s string) string {
	if len(s) > maxReason {
		s = head(s, maxReason) + "..."
	}
	unprintable := func(r rune) bool { return !unicode.IsPrint(r) }
	if utf8.ValidString(s) && strings.IndexFunc(s, unprintable) < 0 {
		return s
	}
	quoted := strconv.Quote(s)
	return quoted[1 : len(quoted)-1]
}

// head is the beginning of s, at most n bytes, without half a rune at its end.
func head(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for range utf8.UTFMax - 1 {
		if utf8.RuneStart(s[n]) {
			break
		}
		n--
	}
	return s[:n]
}

// mistakes are what is wrong with the fields of a probe. None shows the value
// of its field, which may be secret.
type mistakes []error

func (m *mistakes) add(wrong bool, field, reason string) {
	if wrong {
		*m = append(*m, fmt.Errorf("probe: %s: %s", field, reason))
	}
}
