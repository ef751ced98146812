package strategies_test

import (
	"encoding"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/coppice-go/coppice/strategies"
)

// randomDuration is often zero, often short, and as likely of any other length.
func randomDuration(r *rand.Rand) time.Duration {
	switch r.IntN(4) {
	case 0:
		return 0
	case 1:
		return time.Duration(r.IntN(100)) * time.Second
	default:
		return time.Duration(r.Int64() >> r.IntN(63))
	}
}

// randomIntensity and randomBackoff return valid values.
func randomIntensity(r *rand.Rand) strategies.Intensity {
	return strategies.Intensity{
		Restarts: r.Int()>>r.IntN(31) - r.IntN(2), Period: randomDuration(r), Each: r.IntN(2) == 0,
	}
}

func randomBackoff(r *rand.Rand) strategies.Backoff {
	b := strategies.Backoff{Threshold: randomDuration(r), Min: randomDuration(r), Max: randomDuration(r)}
	if b.Max != 0 {
		b.Min, b.Max = min(b.Min, b.Max), max(b.Min, b.Max)
	}
	if r.IntN(5) == 0 {
		b.Min = strategies.None
	}
	if r.IntN(2) == 0 {
		b.Jitter = r.Float64()
	}
	return b
}

// survives checks that a valid value comes back from its text and from JSON,
// alone and in a field.
func survives[T comparable, P interface {
	*T
	encoding.TextUnmarshaler
}](t *testing.T, v T) {
	t.Helper()
	var back T
	text, err := any(v).(encoding.TextMarshaler).MarshalText()
	if err == nil {
		err = P(&back).UnmarshalText(text)
	}
	if err != nil || back != v {
		t.Fatalf("%#v as %q: got %#v, %v", v, text, back, err)
	}
	type holder struct{ Field T }
	var held holder
	data, err := json.Marshal(holder{v})
	if err == nil {
		err = json.Unmarshal(data, &held)
	}
	if err != nil || held.Field != v {
		t.Fatalf("%#v as %s: got %#v, %v", v, data, held.Field, err)
	}
}

func TestEveryValidValueSurvivesTextAndJSON(t *testing.T) {
	for _, s := range allStrategies {
		survives(t, s)
	}
	survives(t, strategies.Intensity{})
	survives(t, strategies.Intensity{Restarts: math.MaxInt, Period: math.MaxInt64, Each: true})
	survives(t, strategies.Backoff{})
	survives(t, strategies.Backoff{Min: strategies.None})
	survives(t, strategies.Backoff{Jitter: math.SmallestNonzeroFloat64})
	r := rand.New(rand.NewPCG(7, 8))
	for range 20_000 {
		survives(t, randomIntensity(r))
		survives(t, randomBackoff(r))
	}
}

func TestDefaultsAppliedTwiceAreAppliedOnce(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	for range 20_000 {
		in, b := randomIntensity(r).WithDefaults(), randomBackoff(r).WithDefaults()
		if in != in.WithDefaults() || b != b.WithDefaults() {
			t.Fatalf("%#v and %#v change again", in, b)
		}
		if err := errors.Join(in.Validate(), b.Validate()); err != nil {
			t.Fatal(err)
		}
		if b.Min != strategies.None && b.Max < b.Min {
			t.Fatalf("%v: Max is below Min", b)
		}
	}
}

func TestBackoffAsText(t *testing.T) {
	type backoff = strategies.Backoff
	s := time.Second
	for text, want := range map[string]backoff{
		"default":                          {},
		"1s..5m0s threshold 1s jitter 0.2": {s, s, 5 * time.Minute, 0.2},
		"1s..1h0m0s threshold 1s":          strategies.Twisted(),
		"2s..":                             {Min: 2 * s},
		"..500ms":                          {Max: s / 2},
		"none":                             {Min: strategies.None},
		"none..1m0s threshold 3s":          {Threshold: 3 * s, Min: strategies.None, Max: time.Minute},
		"1.5s..2.5s":                       {Min: 1500 * time.Millisecond, Max: 2500 * time.Millisecond},
		"jitter 1":                         {Jitter: 1},
	} {
		if got := want.String(); got != text {
			t.Errorf("%#v.String(): got %q, want %q", want, got, text)
		}
		if got, err := strategies.ParseBackoff(text); got != want || err != nil {
			t.Errorf("ParseBackoff(%q): got %#v, %v, want %#v", text, got, err, want)
		}
	}
}

func TestBackoffRefusesWhatWouldNotMeanWhatItSays(t *testing.T) {
	for _, text := range []string{
		"", "..", "1s", "0s..5s", "1s..0s", "5s..1s", "-1s..5s", "-1ns", "none..none", "..none", "1s..2s..3s", "1s..2s 3s..4s",
		"none none", "threshold", "threshold 0s", "threshold -1s", "threshold 1s threshold 1s", "jitter", "jitter 0",
		"jitter -0.1", "jitter 1.1", "jitter NaN", "jitter Inf", "jitter x", "default jitter 1", "default default",
		"1s..5s jitter 0.1 jitter 0.1", "1s ..5s", "1..5",
	} {
		if got, err := strategies.ParseBackoff(text); err == nil || got != (strategies.Backoff{}) {
			t.Errorf("ParseBackoff(%q): got %#v, %v", text, got, err)
		}
	}
}

// mistakes returns the texts of all FieldErrors in err.
func mistakes(t *testing.T, err error) (texts []string) {
	t.Helper()
	if err == nil {
		return nil
	}
	list := []error{err}
	var joined interface{ Unwrap() []error }
	if errors.As(err, &joined) {
		list = joined.Unwrap()
	}
	for _, err := range list {
		var field *strategies.FieldError
		if !errors.As(err, &field) || field.Field == "" || field.Reason == "" {
			t.Errorf("%v is not told by field", err)
		}
		texts = append(texts, err.Error())
	}
	return texts
}

func TestEveryMistakeIsToldWithItsFieldAndValue(t *testing.T) {
	type backoff = strategies.Backoff
	s := time.Second
	restarts := "strategies: Intensity.Restarts: -5: must be 0 or more, or Unlimited (-1)"
	jitter := "strategies: Backoff.Jitter: NaN: must be within 0 to 1"
	for _, c := range []struct {
		value interface{ Validate() error }
		want  []string
	}{
		{strategies.Strategy(9), []string{"strategies: Strategy: 9: must be one of " +
			"one_for_one, one_for_all, rest_for_one, simple_one_for_one"}},
		{within(-5, s), []string{restarts}},
		{within(-5, -s), []string{restarts, "strategies: Intensity.Period: -1s: must not be negative"}},
		{within(strategies.Unlimited, 0), nil},
		{backoff{Jitter: math.NaN()}, []string{jitter}},
		{backoff{-s, -2, -s, math.NaN()}, []string{
			"strategies: Backoff.Threshold: -1s: must not be negative",
			"strategies: Backoff.Min: -2ns: must not be negative, except for None",
			"strategies: Backoff.Max: -1s: must not be negative", jitter}},
		{backoff{Min: 2 * s, Max: s}, []string{"strategies: Backoff.Max: 1s: must not be below Min, which is 2s"}},
		{backoff{Min: strategies.None, Max: 1}, nil},
		{backoff{Max: 1}, nil},
		{backoff{Jitter: math.Inf(1)}, []string{"strategies: Backoff.Jitter: +Inf: must be within 0 to 1"}},
		{backoff{Jitter: -0.1}, []string{"strategies: Backoff.Jitter: -0.1: must be within 0 to 1"}},
		{backoff{Jitter: 1.1}, []string{"strategies: Backoff.Jitter: 1.1: must be within 0 to 1"}},
	} {
		if got := mistakes(t, c.value.Validate()); !slices.Equal(got, c.want) {
			t.Errorf("%#v:\ngot  %q\nwant %q", c.value, got, c.want)
		}
		if _, err := json.Marshal(c.value); (err == nil) != (c.want == nil) {
			t.Errorf("%#v is marshalled with %v", c.value, err)
		}
	}
	_, err := strategies.ParseIntensity("3/soon")
	want := []string{`strategies: Intensity.Period: "soon": must be a positive duration such as 10s`}
	if got := mistakes(t, err); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestATextThatDoesNotParseLeavesTheValueAlone(t *testing.T) {
	s, in, b := strategies.RestForOne, strategies.OTP(), strategies.Twisted()
	for _, v := range []encoding.TextUnmarshaler{&s, &in, &b} {
		err := v.UnmarshalText([]byte("two_for_tea 1s"))
		if len(mistakes(t, err)) != 1 {
			t.Errorf("%T: %v", v, err)
		}
	}
	if s != strategies.RestForOne || in != strategies.OTP() || b != strategies.Twisted() {
		t.Errorf("they are now %v, %v and %v", s, in, b)
	}
}

func FuzzParseStrategy(f *testing.F) {
	for _, s := range allStrategies {
		f.Add(s.String())
	}
	f.Fuzz(func(t *testing.T, text string) {
		if s, err := strategies.ParseStrategy(text); err != nil {
			mistakes(t, err)
		} else if s.Validate() != nil || s.String() != text {
			t.Errorf("%q became %v", text, s)
		}
	})
}

func FuzzParseIntensity(f *testing.F) {
	for _, text := range []string{"default each", "3/10s each", "1/5s", "unlimited/1h", "0/1ns", "007"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if in, err := strategies.ParseIntensity(text); err != nil {
			mistakes(t, err)
		} else {
			survives(t, in)
		}
	})
}

func FuzzParseBackoff(f *testing.F) {
	for _, text := range []string{"default", "1s..5m threshold 1s jitter 0.2", "none..", "..1ns", "jitter 1e-3 2s.."} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if b, err := strategies.ParseBackoff(text); err != nil {
			mistakes(t, err)
		} else {
			survives(t, b)
		}
	})
}
