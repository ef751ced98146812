package main

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestTheTreeRunsAndLosesTheLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		var out strings.Builder
		if err := run(ctx, &out); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"prices/writers/journal", "prices/feed", "the exchange has hung up"} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("the output has no %q:\n%s", want, out.String())
			}
		}
	})
}
