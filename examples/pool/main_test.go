package main

import (
	"context"
	"strings"
	"testing"
	"time"
)

func TestTheStoryIsTold(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var out strings.Builder
	if err := run(ctx, &out, 10_000); err != nil {
		t.Fatal(err)
	}
	rest := out.String()
	for _, want := range []string{
		"10000 sessions started\n",
		"one more is refused: ",
		"100 crashed, each was started again in its place, 10000 are running\n",
		"5000 said good-bye, 5000 are running\n",
		"one more is let in, as pool/10002, 5001 are running\n",
		"all stopped, 0 left\n",
	} {
		_, after, found := strings.Cut(rest, want)
		if !found {
			t.Fatalf("%q does not come here:\n%s", want, rest)
		}
		rest = after
	}
}

func TestAnEndedContextEndsTheProgram(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := run(ctx, &strings.Builder{}, 10); err == nil {
		t.Error("got no error")
	}
}
