//go:build unix

package process_test

import (
	"errors"
	"testing"
	"unicode/utf8"

	"github.com/coppice-go/coppice/child"
)

func TestTheLastOutputOfAnEndIsWholeCharacters(t *testing.T) {
	for _, before := range []string{"", "x", "xx"} {
		err := shell(t, `i=0; while [ $i -lt 500 ]; do printf '€'; i=$((i+1)); done; printf '`+before+`\n'; exit 1`, new(lines)).Serve(t.Context())
		var status *child.StatusError
		if !errors.As(err, &status) {
			t.Fatalf("got %v", err)
		}
		if n := len(status.Output); n < 1020 || n > 1024 || !utf8.ValidString(status.Output) {
			t.Errorf("got %d bytes: %q", n, status.Output)
		}
	}
}
