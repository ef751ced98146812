package main

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestTheClientSeesNoWrongAnswerWhileThePartsAreKilled(t *testing.T) {
	var missing bytes.Buffer
	have := installed(&missing)
	t.Setenv("TMPDIR", t.TempDir())
	t.Cleanup(func() {
		if left, err := os.ReadDir(os.TempDir()); err != nil || len(left) > 0 {
			t.Error("left behind:", left, err)
		}
	})
	for name, c := range map[string]struct {
		have programs
		want []string
	}{
		"all of it":     {have, []string{redis, worker, nginx}},
		"without redis": {programs{nginx: have.nginx}, []string{worker, nginx}},
		"without nginx": {programs{redis: have.redis}, []string{redis, worker}},
		"the worker":    {programs{}, []string{worker}},
	} {
		t.Run(name, func(t *testing.T) {
			if slices.Contains(c.want, redis) && have.redis == "" || slices.Contains(c.want, nginx) && have.nginx == "" {
				t.Skip(missing.String())
			}
			t.Parallel()
			var out bytes.Buffer
			if err := run(t.Context(), &out, c.have, 1100*time.Millisecond); err != nil {
				t.Fatalf("%v\n%s", err, out.String())
			}
			t.Log("\n" + out.String())
			for _, part := range c.want {
				if !strings.Contains(out.String(), fmt.Sprintf("%-7s killed, ready again: %s after ", part, part)) {
					t.Errorf("nothing about the end of %s:\n%s", part, out.String())
				}
			}
			if !strings.Contains(out.String(), " 0 wrong answers\n") {
				t.Errorf("the client says nothing:\n%s", out.String())
			}
		})
	}
}

func TestWhatIsMissingIsNamedWithTheWayToInstallIt(t *testing.T) {
	var out bytes.Buffer
	if path := look(&out, "nginx-that-is-not-there", "nobody answers", "apt-get install it"); path != "" {
		t.Error("found:", path)
	}
	want := "nginx-that-is-not-there is not installed, so that nobody answers.\n" +
		"  Install it with: apt-get install it\n"
	if out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
}

func TestAWrongAnswerIsFound(t *testing.T) {
	for name, c := range map[string]struct {
		answers []visit
		wrong   string
	}{
		"a count that goes up":         {[]visit{{"a", 1}, {"a", 3}, {"b", 1}}, ""},
		"a count that goes back":       {[]visit{{"a", 2}, {"a", 1}}, "1 of a after 2"},
		"a count that stands still":    {[]visit{{"a", 2}, {"a", 2}}, "2 of a after 2"},
		"an era that comes back":       {[]visit{{"a", 1}, {"b", 1}, {"a", 2}}, "the era a is over"},
		"a new era that counts anew":   {[]visit{{"a", 9}, {"b", 1}, {"b", 2}}, ""},
		"an answer that is not for it": {[]visit{{"a", -1}}, "no count in"},
	} {
		t.Run(name, func(t *testing.T) {
			var h history
			var got string
			for _, v := range c.answers {
				if err := answer(t, &h, v); err != nil {
					got = err.Error()
				}
			}
			if (c.wrong == "") != (got == "") || !strings.Contains(got, c.wrong) {
				t.Errorf("%q, want %q", got, c.wrong)
			}
		})
	}
}

// answer asks a server that answers v, and holds the answer against h.
func answer(t *testing.T, h *history, v visit) error {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, "%s %d\n", v.era, v.n)
	}))
	defer server.Close()
	c := &client{url: server.URL, http: server.Client()}
	v, failure, err := c.visit(t.Context())
	if failure != nil {
		t.Fatal(failure)
	}
	if err != nil {
		return err
	}
	return h.check(v)
}

func TestAnAnswerThatTwoVisitorsGetIsWrong(t *testing.T) {
	c := &client{given: map[visit]bool{}}
	c.count(visit{"a", 1}, nil, nil)
	c.count(visit{"a", 1}, nil, nil)
	c.count(visit{}, net.ErrClosed, nil)
	if got := c.tally(); got.right != 1 || got.wrong != 1 || got.failed != 1 || got.err == nil {
		t.Errorf("%+v", got)
	}
}
