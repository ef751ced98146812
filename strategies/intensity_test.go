package strategies_test

import (
	"testing"
	"time"

	"github.com/coppice-go/coppice/strategies"
)

func TestIntensityDefaults(t *testing.T) {
	type intensity = strategies.Intensity
	for name, c := range map[string]struct{ set, means intensity }{
		"the zero value is Celery's 3 in 10 s each":      {intensity{}, intensity{3, 10 * time.Second, true}},
		"each alone is the zero value":                   {intensity{Each: true}, intensity{3, 10 * time.Second, true}},
		"a number alone is within 10 s and shared":       {intensity{Restarts: 5}, intensity{5, 10 * time.Second, false}},
		"a period alone allows none":                     {intensity{Period: time.Hour}, intensity{0, time.Hour, false}},
		"a number and each is within 10 s":               {intensity{Restarts: 5, Each: true}, intensity{5, 10 * time.Second, true}},
		"unlimited stays unlimited":                      {intensity{Restarts: -1}, intensity{-1, 10 * time.Second, false}},
		"what is complete is left alone":                 {intensity{7, time.Minute, true}, intensity{7, time.Minute, true}},
		"what is wrong is left for Validate to complain": {intensity{-5, -1, false}, intensity{-5, -1, false}},
	} {
		if got := c.set.WithDefaults(); got != c.means {
			t.Errorf("%s: got %#v, want %#v", name, got, c.means)
		}
	}
	if got, want := strategies.OTP(), (intensity{1, 5 * time.Second, false}); got.WithDefaults() != want {
		t.Errorf("OTP: got %v, want %v", got, want)
	}
	if got, want := strategies.Celery(), (intensity{}).WithDefaults(); got != want {
		t.Errorf("Celery: got %v, want %v", got, want)
	}
}

func TestIntensityAsText(t *testing.T) {
	type intensity = strategies.Intensity
	for text, want := range map[string]intensity{
		"default":        {},
		"default each":   {Each: true},
		"3/10s each":     strategies.Celery(),
		"1/5s":           strategies.OTP(),
		"5":              {Restarts: 5},
		"0/1h0m0s":       {Period: time.Hour},
		"unlimited":      {Restarts: strategies.Unlimited},
		"unlimited/1s":   {Restarts: strategies.Unlimited, Period: time.Second},
		"unlimited each": {Restarts: strategies.Unlimited, Each: true},
	} {
		if got := want.String(); got != text {
			t.Errorf("%#v.String(): got %q, want %q", want, got, text)
		}
		if got, err := strategies.ParseIntensity(text); got != want || err != nil {
			t.Errorf("ParseIntensity(%q): got %#v, %v, want %#v", text, got, err, want)
		}
	}
}

func TestIntensityRefusesWhatWouldNotMeanWhatItSays(t *testing.T) {
	for _, text := range []string{
		"", " ", "0", "0/0s", "3/0s", "-1", "+3", "-5/10s", "3/-1s", "3/", "/10s", "3/10", "3 / 10s", "each", "3 every",
		"3/10s each each", "unlimited/", "default/10s", "99999999999999999999", "9223372036854775808", "3/10s/1s", "1_000",
	} {
		if got, err := strategies.ParseIntensity(text); err == nil || got != (strategies.Intensity{}) {
			t.Errorf("ParseIntensity(%q): got %#v, %v", text, got, err)
		}
	}
}
