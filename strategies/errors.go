package strategies

import (
	"fmt"
	"time"
)

// A FieldError tells one mistake in one field. Every Validate, Parse and
// Unmarshal of this package reports its mistakes as *FieldError; where several
// are found at once, they come as one error made by [errors.Join].
//
// The fields are for whoever wants to say it in other words, such as a
// supervisor that knows the path of the child.
type FieldError struct {
	// Field is the type and, where there is one, the field of it:
	// "Intensity.Restarts", "Strategy".
	Field string

	// Value is what stands in the field: the text, if it was to be parsed, else
	// the value itself.
	Value any

	// Reason says what the field takes, as the end of a sentence: "must not be
	// negative".
	Reason string
}

// Error returns the mistake as "strategies: Intensity.Restarts: -5: must be
// ...". Text that was to be parsed is quoted, because it may hold anything.
func (e *FieldError) Error() string {
	if text, ok := e.Value.(string); ok {
		return fmt.Sprintf("strategies: %s: %q: %s", e.Field, text, e.Reason)
	}
	return fmt.Sprintf("strategies: %s: %v: %s", e.Field, e.Value, e.Reason)
}

// parsePositive reads a duration above zero. Zero is refused because it would
// silently stand for a default: who wants the default leaves the part out.
func parsePositive(field, text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return 0, &FieldError{Field: field, Value: text, Reason: "must be a positive duration such as 10s"}
	}
	return d, nil
}
