package main

import "testing"

func TestAScaleSaysHowManyThereAreOfEach(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		texts   []string
		kind    string
		defined int
		want    int
	}{
		"without a word there is one":     {nil, "web", 0, 1},
		"or what its definition says":     {nil, "web", 3, 3},
		"what it says":                    {[]string{"web=2,worker=4"}, "worker", 3, 4},
		"none":                            {[]string{"web=0"}, "web", 3, 0},
		"all":                             {[]string{"all=2"}, "web", 3, 2},
		"all, but not what is named":      {[]string{"web=5,all=2"}, "web", 0, 5},
		"the last word counts":            {[]string{"web=5", "web=6"}, "web", 0, 6},
		"spaces and commas do not matter": {[]string{" web=5, ,"}, "web", 0, 5},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := parseScale(tt.texts)
			if got := s.of(tt.kind, tt.defined); err != nil || got != tt.want {
				t.Errorf("there are %d, %v; want %d", got, err, tt.want)
			}
		})
	}
	for _, text := range []string{"web", "web=", "=1", "web=-1", "web=101", "web=1.5", "web=1=1"} {
		if s, err := parseScale([]string{text}); err == nil {
			t.Errorf("%q is %v", text, s)
		}
	}
}

func TestAPortIsThatOfForeman(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ base, kind, index, want int }{
		{5000, 0, 1, 5000}, {5000, 0, 2, 5001}, {5000, 1, 1, 5100}, {3000, 4, 7, 3406},
	} {
		if got := portOf(tt.base, tt.kind, tt.index); got != tt.want {
			t.Errorf("port of %d, %d, %d is %d, want %d", tt.base, tt.kind, tt.index, got, tt.want)
		}
	}
}

func TestAMistakeInAnEnvironmentFileShowsNoSecret(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir+"/.env", "A=b\nsecret word\n")
	if env, err := readEnv(dir, nil); err == nil || err.Error() != ".env: must have lines of the form KEY=value" {
		t.Errorf("it is %v, %v", env, err)
	}
	if env, err := readEnv(t.TempDir(), nil); err != nil || len(env) != 0 {
		t.Errorf("without a file it is %v, %v", env, err)
	}
}
