package main

import (
	"strings"
	"testing"
	"testing/synctest"
)

// Lines of the services and of the program itself: they are the same whoever
// supervises.
var same = []string{
	"billing: order 1", "billing: order 2", "report: 2 orders were billed",
	"billing: order 4", "report: 3 orders were billed", "billing: order 5",
	"the report is gone, services left: 1",
	"billing: order 6", "billing: order 7", "billing: order 8", "billing: order 9", "billing: order 10",
	"all stopped but 0",
}

func TestEachStepDoesTheSame(t *testing.T) {
	for i, s := range steps {
		t.Run(s.title, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var out strings.Builder
				if err := run(t.Context(), &out, s); err != nil {
					t.Fatal(err)
				}
				var got, others []string
				for line := range strings.Lines(out.String()) {
					line = strings.TrimSpace(line)
					switch who, _, _ := strings.Cut(line, " "); who {
					case "billing:", "report:", "the", "all":
						got = append(got, line)
					default:
						others = append(others, line)
					}
				}
				if strings.Join(got, "\n") != strings.Join(same, "\n") {
					t.Errorf("it did something else:\n%s", out.String())
				}
				who := []string{"billing", "trade/billing", "shop/trade/billing"}[i]
				want := "--- " + s.title + " ---|setup: done|event: " + who + " panicked: order 3 has no address"
				if strings.Join(others, "|") != want {
					t.Errorf("it told something else:\n%s", out.String())
				}
			})
		})
	}
}
