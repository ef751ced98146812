package strategies

import (
	"strconv"
	"strings"
)

// String returns b as text that [ParseBackoff] reads back to the same value:
// "1s..5m0s threshold 1s jitter 0.2", "none", and "default" for the zero value.
// It prints what is set, not what it means: a zero field is left out.
func (b Backoff) String() string {
	var words []string
	if span := b.span(); span != "" {
		words = append(words, span)
	}
	if b.Threshold != 0 {
		words = append(words, "threshold", b.Threshold.String())
	}
	if b.Jitter != 0 {
		words = append(words, "jitter", strconv.FormatFloat(b.Jitter, 'g', -1, 64))
	}
	if len(words) == 0 {
		return "default"
	}
	return strings.Join(words, " ")
}

// span returns Min and Max as "1s..5m0s", either side empty where the field is
// zero, and nothing if both are.
func (b Backoff) span() string {
	from, to := "", ""
	if b.Min == None {
		from = "none"
	} else if b.Min != 0 {
		from = b.Min.String()
	}
	if b.Max != 0 {
		to = b.Max.String()
	} else if b.Min == None || b.Min == 0 {
		return from
	}
	return from + ".." + to
}

// MarshalText returns the text of String, and fails where Validate does. It is
// also the form of b in JSON: a string.
func (b Backoff) MarshalText() ([]byte, error) {
	if err := b.Validate(); err != nil {
		return nil, err
	}
	return []byte(b.String()), nil
}

// UnmarshalText sets b to what [ParseBackoff] makes of text, and leaves it
// alone if that fails.
func (b *Backoff) UnmarshalText(text []byte) error {
	parsed, err := ParseBackoff(string(text))
	if err != nil {
		return err
	}
	*b = parsed
	return nil
}

// ParseBackoff reads the text form of a Backoff: Min and Max with two dots
// between them, either of which may be left out, or "none"; the word
// "threshold" and a duration; the word "jitter" and a number. Each part is
// given at most once, and one that is left out is zero. Durations are as
// [time.ParseDuration] takes them. The zero value is written "default". The
// errors are *[FieldError]. What parses is valid.
func ParseBackoff(text string) (Backoff, error) {
	words := strings.Fields(text)
	if len(words) == 1 && words[0] == "default" {
		return Backoff{}, nil
	}
	var b Backoff
	err := b.parseWords(text, words)
	if err == nil {
		err = b.Validate()
	}
	if err != nil {
		return Backoff{}, err
	}
	return b, nil
}

// parseWords reads one part after the other. No part can be set to zero, so one
// that is not zero was given before.
func (b *Backoff) parseWords(text string, words []string) error {
	malformed := &FieldError{"Backoff", text, "must be like 1s..5m threshold 1s jitter 0.2, none or default"}
	if len(words) == 0 {
		return malformed
	}
	for len(words) > 0 {
		var err error
		switch word := words[0]; {
		case word == "threshold" && len(words) > 1 && b.Threshold == 0:
			b.Threshold, err = parsePositive("Backoff.Threshold", words[1])
			words = words[2:]
		case word == "jitter" && len(words) > 1 && b.Jitter == 0:
			b.Jitter, err = parseJitter(words[1])
			words = words[2:]
		case (word == "none" || strings.Contains(word, "..")) && b.Min == 0 && b.Max == 0:
			err = b.parseSpan(word)
			words = words[1:]
		default:
			err = malformed
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// parseSpan reads "none", "1s..5m", "1s..", "..5m" or "none..5m".
func (b *Backoff) parseSpan(word string) (err error) {
	from, to, _ := strings.Cut(word, "..")
	switch from {
	case "none":
		b.Min = None
	case "":
		if to == "" {
			return &FieldError{"Backoff", word, "must have a duration on one side of the dots, or on both"}
		}
	default:
		if b.Min, err = parsePositive("Backoff.Min", from); err != nil {
			return err
		}
	}
	if to != "" {
		b.Max, err = parsePositive("Backoff.Max", to)
	}
	return err
}

// parseJitter reads a number; whether it is within bounds is for Validate to
// say. Zero is refused as for durations.
func parseJitter(text string) (float64, error) {
	jitter, err := strconv.ParseFloat(text, 64)
	if err != nil || jitter == 0 {
		return 0, &FieldError{"Backoff.Jitter", text, "must be a number above 0, up to 1"}
	}
	return jitter, nil
}
