package strategies

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// Unlimited, as the Restarts of an [Intensity], allows any number of restarts.
const Unlimited = -1

// defaultPeriod stands in for a Period of zero; it is that of Celery's
// supervisor.
const defaultPeriod = 10 * time.Second

// An Intensity is a limit on restarts: so many within such a time, the next one
// is refused and the supervisor gives up. [Window] keeps the count.
//
// The zero value is [Celery]: 3 in 10 s, each child by itself. As soon as
// Restarts or Period is set, the other two fields mean what they say, except
// that a Period of zero is 10 s. So Intensity{Restarts: 5} is 5 in 10 s,
// shared, and Intensity{Period: time.Hour} allows no restart at all.
type Intensity struct {
	// Restarts is how many restarts are allowed within the period; [Unlimited]
	// allows all. Optional: zero allows none, unless Period is zero too.
	Restarts int

	// Period is how long a restart counts; one whose age equals it still does.
	// Optional: zero is 10 s.
	Period time.Duration

	// Each counts every child by itself, as Celery does, whose supervisor had
	// one process. Optional: by default the children of a supervisor share one
	// count, as in OTP.
	Each bool
}

// OTP returns the default of Erlang/OTP's supervisor: one restart in 5 s,
// shared by all children.
func OTP() Intensity {
	return Intensity{Restarts: 1, Period: 5 * time.Second}
}

// Celery returns the default of the supervisor of Celery's workers: 3 restarts
// in 10 s, every child by itself. It is what the zero Intensity means.
func Celery() Intensity {
	return Intensity{Restarts: 3, Period: defaultPeriod, Each: true}
}

// WithDefaults returns i with its zero fields replaced by what they mean.
// Applied to its own result it changes nothing.
func (i Intensity) WithDefaults() Intensity {
	if i.Period != 0 {
		return i
	}
	if i.Restarts == 0 {
		return Celery()
	}
	i.Period = defaultPeriod
	return i
}

// Validate returns nil, or one *[FieldError] for each field that cannot be
// meant, joined by [errors.Join]: a negative number of restarts other than
// [Unlimited], a negative period.
func (i Intensity) Validate() error {
	var mistakes []error
	if i.Restarts < 0 && i.Restarts != Unlimited {
		mistakes = append(mistakes, &FieldError{"Intensity.Restarts", i.Restarts, "must be 0 or more, or Unlimited (-1)"})
	}
	if i.Period < 0 {
		mistakes = append(mistakes, &FieldError{"Intensity.Period", i.Period, "must not be negative"})
	}
	return errors.Join(mistakes...)
}

// String returns i as text that [ParseIntensity] reads back to the same value:
// "3/10s each", "1/5s", "unlimited", and "default" for the zero value. It
// prints what is set, not what it means: Intensity{Restarts: 5} is "5".
func (i Intensity) String() string {
	text := strconv.Itoa(i.Restarts)
	switch {
	case i.Restarts == Unlimited:
		text = "unlimited"
	case i.Restarts == 0 && i.Period == 0:
		text = "default" // a "0" would read as none allowed
	}
	if i.Period != 0 {
		text += "/" + i.Period.String()
	}
	if i.Each {
		text += " each"
	}
	return text
}

// MarshalText returns the text of String, and fails where Validate does. It is
// also the form of i in JSON: a string.
func (i Intensity) MarshalText() ([]byte, error) {
	if err := i.Validate(); err != nil {
		return nil, err
	}
	return []byte(i.String()), nil
}

// UnmarshalText sets i to what [ParseIntensity] makes of text, and leaves it
// alone if that fails.
func (i *Intensity) UnmarshalText(text []byte) error {
	parsed, err := ParseIntensity(string(text))
	if err != nil {
		return err
	}
	*i = parsed
	return nil
}

// ParseIntensity reads the text form of an Intensity: the number of restarts or
// "unlimited", a slash and the period as [time.ParseDuration] takes it, and the
// word "each" if every child counts by itself. The period may be left out, and
// then is zero; not so after a 0, which would not mean what it says. The zero
// value is written "default". The error is a *[FieldError]. What parses is
// valid.
func ParseIntensity(text string) (Intensity, error) {
	words := strings.Fields(text)
	each := len(words) == 2 && words[1] == "each"
	if len(words) != 1 && !each {
		return Intensity{}, &FieldError{"Intensity", text, "must be like 3/10s, 3/10s each, unlimited or default"}
	}
	limit := Intensity{}
	if words[0] != "default" {
		var err error
		if limit, err = parseLimit(words[0]); err != nil {
			return Intensity{}, err
		}
	}
	limit.Each = each
	return limit, nil
}

// parseLimit reads "3/10s", "3", "unlimited/10s" or "unlimited".
func parseLimit(text string) (Intensity, error) {
	restarts, period, timed := strings.Cut(text, "/")
	var limit Intensity
	var err error
	if limit.Restarts, err = parseRestarts(restarts); err != nil {
		return Intensity{}, err
	}
	if timed {
		limit.Period, err = parsePositive("Intensity.Period", period)
	} else if limit.Restarts == 0 {
		err = &FieldError{"Intensity.Period", text, "must be given with a limit of 0, as in 0/10s"}
	}
	return limit, err
}

// parseRestarts reads a number of restarts. No sign is taken: -1 has a word of
// its own, and +3 would not print as it was written.
func parseRestarts(text string) (int, error) {
	if text == "unlimited" {
		return Unlimited, nil
	}
	n, err := strconv.ParseUint(text, 10, strconv.IntSize-1)
	if err != nil {
		return 0, &FieldError{"Intensity.Restarts", text, "must be a number of restarts, unlimited or default"}
	}
	return int(n), nil
}
