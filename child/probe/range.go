package probe

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// A Range is the status codes from Min to Max.
type Range struct {
	// Min is the lowest code. Required.
	Min int
	// Max is the highest code. Optional; zero is Min.
	Max int
}

// String is the range as in 200-299, or the one code in it.
func (r Range) String() string {
	if r.Max == 0 || r.Max == r.Min {
		return strconv.Itoa(r.Min)
	}
	return strconv.Itoa(r.Min) + "-" + strconv.Itoa(r.Max)
}

func (r Range) holds(code int) bool { return r.Min <= code && code <= max(r.Min, r.Max) }

func (r Range) valid() bool {
	return r.Min >= 100 && r.Min <= 999 && (r.Max == 0 || r.Max >= r.Min && r.Max <= 999)
}

func ranges(all []Range) string {
	words := make([]string, len(all))
	for i, r := range all {
		words[i] = r.String()
	}
	return strings.Join(words, " or ")
}

// sorted is the names in h, in an order that stays.
func sorted(h http.Header) []string { return slices.Sorted(maps.Keys(h)) }
