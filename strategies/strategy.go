package strategies

import (
	"strconv"
	"strings"
)

// A Strategy says which siblings share the fate of a child that failed: they
// are stopped, in reverse order, and started again with it. The names and their
// meaning are OTP's. The zero value is [OneForOne].
type Strategy uint8

const (
	// OneForOne restarts the failed child alone. It is for children that do not
	// need each other.
	OneForOne Strategy = iota

	// OneForAll restarts all children. It is for children that are of no use
	// without each other.
	OneForAll

	// RestForOne restarts the failed child and those that were started after
	// it. It is for children that build upon those before them.
	RestForOne

	// SimpleOneForOne is [OneForOne] for children that are made from one
	// template while the supervisor runs. Its span is the same; it has a name
	// of its own because OTP gives it one.
	SimpleOneForOne
)

// strategyNames is the only list of the strategies: printing, parsing and
// checking all read it.
var strategyNames = [...]string{
	OneForOne:       "one_for_one",
	OneForAll:       "one_for_all",
	RestForOne:      "rest_for_one",
	SimpleOneForOne: "simple_one_for_one",
}

// Span returns the half-open range [from, to) of positions, in start order,
// that share the fate of the child at position failed among n children. The
// failed child is always part of it. A position outside 0 to n-1 has the empty
// span 0, 0, and a Strategy that is none spans as OneForOne, which is the least
// it can do.
func (s Strategy) Span(failed, n int) (from, to int) {
	if failed < 0 || failed >= n {
		return 0, 0
	}
	switch s {
	case OneForAll:
		return 0, n
	case RestForOne:
		return failed, n
	default:
		return failed, failed + 1
	}
}

// String returns OTP's word for s, such as "one_for_one". A value that is no
// strategy prints as "Strategy(7)".
func (s Strategy) String() string {
	if int(s) < len(strategyNames) {
		return strategyNames[s]
	}
	return "Strategy(" + strconv.Itoa(int(s)) + ")"
}

// Validate returns nil for the four strategies, and a *[FieldError] for every
// other value.
func (s Strategy) Validate() error {
	if int(s) < len(strategyNames) {
		return nil
	}
	return strategyError(int(s))
}

// MarshalText returns OTP's word for s. It fails with a *[FieldError] where
// Validate does.
func (s Strategy) MarshalText() ([]byte, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	return []byte(s.String()), nil
}

// UnmarshalText sets s to what [ParseStrategy] makes of text, and leaves it
// alone if that fails.
func (s *Strategy) UnmarshalText(text []byte) error {
	parsed, err := ParseStrategy(string(text))
	if err != nil {
		return err
	}
	*s = parsed
	return nil
}

// ParseStrategy returns the strategy of that name, which must be written as OTP
// writes it. Any other text is a *[FieldError].
func ParseStrategy(text string) (Strategy, error) {
	for s, name := range strategyNames {
		if name == text {
			return Strategy(s), nil
		}
	}
	return OneForOne, strategyError(text)
}

// strategyError names all strategies, so that who mistyped one need not look
// them up.
func strategyError(value any) error {
	return &FieldError{Field: "Strategy", Value: value, Reason: "must be one of " + strings.Join(strategyNames[:], ", ")}
}
