package strategies_test

import (
	"encoding/json"
	"testing"

	"github.com/coppice-go/coppice/strategies"
)

var allStrategies = []strategies.Strategy{
	strategies.OneForOne, strategies.OneForAll, strategies.RestForOne, strategies.SimpleOneForOne,
}

// span checks one strategy against a table of failed, n, from, to.
func span(t *testing.T, s strategies.Strategy, cases [][4]int) {
	t.Helper()
	for _, c := range cases {
		from, to := s.Span(c[0], c[1])
		if from != c[2] || to != c[3] {
			t.Errorf("%v.Span(%d, %d): got %d, %d, want %d, %d", s, c[0], c[1], from, to, c[2], c[3])
		}
	}
}

func TestOneForOneTakesOnlyTheFailedChild(t *testing.T) {
	for _, s := range []strategies.Strategy{strategies.OneForOne, strategies.SimpleOneForOne} {
		span(t, s, [][4]int{{0, 1, 0, 1}, {0, 3, 0, 1}, {1, 3, 1, 2}, {2, 3, 2, 3}})
	}
}

func TestOneForAllTakesEveryChild(t *testing.T) {
	span(t, strategies.OneForAll, [][4]int{{0, 1, 0, 1}, {0, 3, 0, 3}, {1, 3, 0, 3}, {2, 3, 0, 3}})
}

func TestRestForOneTakesTheFailedChildAndThoseAfterIt(t *testing.T) {
	span(t, strategies.RestForOne, [][4]int{{0, 1, 0, 1}, {0, 3, 0, 3}, {1, 3, 1, 3}, {2, 3, 2, 3}})
}

func TestTheFailedChildIsAlwaysInItsOwnSpan(t *testing.T) {
	for s := range strategies.Strategy(8) { // also those that are none
		for n := range 6 {
			for failed := -1; failed <= n; failed++ {
				from, to := s.Span(failed, n)
				inside := from <= failed && failed < to && from >= 0 && to <= n
				nobody := from == 0 && to == 0
				if exists := failed >= 0 && failed < n; exists && !inside || !exists && !nobody {
					t.Errorf("%v.Span(%d, %d) = %d, %d", s, failed, n, from, to)
				}
			}
		}
	}
}

func TestStrategiesSpeakTheWordsOfOTP(t *testing.T) {
	want := []string{"one_for_one", "one_for_all", "rest_for_one", "simple_one_for_one"}
	for i, s := range allStrategies {
		if s.String() != want[i] {
			t.Errorf("got %v, want %v", s, want[i])
		}
		if err := s.Validate(); err != nil {
			t.Errorf("%v: %v", s, err)
		}
		if parsed, err := strategies.ParseStrategy(want[i]); parsed != s || err != nil {
			t.Errorf("ParseStrategy(%q): got %v, %v", want[i], parsed, err)
		}
	}
}

func TestAValueThatIsNoStrategyIsShownAndRefused(t *testing.T) {
	none := strategies.Strategy(7)
	if got, want := none.String(), "Strategy(7)"; got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	if _, err := json.Marshal(none); err == nil {
		t.Error("it was marshalled")
	}
	if none.Validate() == nil {
		t.Error("it is valid")
	}
}
