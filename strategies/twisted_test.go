package strategies_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coppice-go/coppice/strategies"
)

// A backoffScript is one life of a process under Twisted's ProcessMonitor, as
// recorded: a line of the file. The numbers are kept as they are written,
// because they carry the rounding of floating point and must not get any more
// of it.
type backoffScript struct {
	Seed      int         `json:"seed"`
	Threshold json.Number `json:"threshold_s"`
	Min       json.Number `json:"min_delay_s"`
	Max       json.Number `json:"max_delay_s"`
	Runs      []struct {
		Lived json.Number `json:"lived_s"`
		Delay json.Number `json:"delay_s"`
	} `json:"runs"`
}

// seconds returns a number of seconds, truncated to the nanosecond:
// 0.9999999999999998 s was less than 1 s.
func seconds(n json.Number) (time.Duration, error) {
	exact, ok := new(big.Rat).SetString(n.String())
	if !ok {
		return 0, fmt.Errorf("%q is no number of seconds", n)
	}
	exact.Mul(exact, big.NewRat(int64(time.Second), 1))
	whole := new(big.Int).Quo(exact.Num(), exact.Denom())
	if !whole.IsInt64() {
		return 0, fmt.Errorf("%v s do not fit in a duration", n)
	}
	return time.Duration(whole.Int64()), nil
}

// backoff returns the parameters of the script. Zero means zero in a recording:
// with no threshold no run is short, and with no first delay there is never
// one.
func (s backoffScript) backoff() (b strategies.Backoff, err error) {
	var errs [3]error
	b.Threshold, errs[0] = seconds(s.Threshold)
	b.Min, errs[1] = seconds(s.Min)
	b.Max, errs[2] = seconds(s.Max)
	if b.Max <= 0 {
		errs[2] = errors.Join(errs[2], errors.New("max_delay_s must be above zero"))
	}
	if b.Threshold == 0 || b.Min == 0 {
		b.Threshold, b.Min = 0, strategies.None
	}
	return b, errors.Join(append(errs[:], b.Validate())...)
}

// replay returns the differences between the script and what a Backoff does.
// Times are compared to the microsecond.
func (s backoffScript) replay() (differences []string, err error) {
	b, err := s.backoff()
	if err == nil && len(s.Runs) == 0 {
		err = errors.New("it has no runs")
	}
	if err != nil {
		return nil, fmt.Errorf("seed %d: %w", s.Seed, err)
	}
	var wait, state time.Duration
	for i, run := range s.Runs {
		lived, err1 := seconds(run.Lived)
		want, err2 := seconds(run.Delay)
		if err := errors.Join(err1, err2); err != nil {
			return differences, fmt.Errorf("seed %d, step %d: %w", s.Seed, i+1, err)
		}
		wait, state = b.After(state, lived, 0)
		if (wait - want).Abs() >= time.Microsecond {
			differences = append(differences, fmt.Sprintf("seed %d, step %d, after a run of %v: want %v, got %v",
				s.Seed, i+1, lived, want, wait))
		}
	}
	return differences, nil
}

// replayBackoff replays a file, a script on each line, and returns how many
// there were.
func replayBackoff(file io.Reader) (scripts int, differences []string, err error) {
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 64<<20)
	for line := 1; lines.Scan(); line++ {
		if strings.TrimSpace(lines.Text()) == "" {
			continue
		}
		var s backoffScript
		if err := json.Unmarshal(lines.Bytes(), &s); err != nil {
			return scripts, differences, fmt.Errorf("line %d: %w", line, err)
		}
		found, err := s.replay()
		differences = append(differences, found...)
		if err != nil {
			return scripts, differences, fmt.Errorf("line %d: %w", line, err)
		}
		scripts++
	}
	if err = lines.Err(); err == nil && scripts == 0 {
		err = errors.New("there are no scripts in it")
	}
	return scripts, differences, err
}

// openTraces opens what COPPICE_BACKOFF_TRACES names, or the recording that
// comes with the package. A test runs in the folder of its package, but a
// relative name was more likely written in that of the module.
func openTraces() (*os.File, error) {
	name := os.Getenv("COPPICE_BACKOFF_TRACES")
	if name == "" {
		return os.Open(filepath.Join("testdata", "twisted-backoff.jsonl"))
	}
	file, err := os.Open(name)
	if errors.Is(err, os.ErrNotExist) && !filepath.IsAbs(name) {
		return os.Open(filepath.Join("..", name))
	}
	return file, err
}

func TestTwistedWaitedAsLong(t *testing.T) {
	file, err := openTraces()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	scripts, differences, err := replayBackoff(file)
	t.Logf("%s: %d scripts, %d differences", file.Name(), scripts, len(differences))
	for _, difference := range differences {
		t.Error(difference)
	}
	if err != nil {
		t.Errorf("%s: %v", file.Name(), err)
	}
}

func TestTwistedReplayTellsDifferences(t *testing.T) {
	script := func(threshold, runs string) string {
		return `{"seed": 4, "threshold_s": ` + threshold + `, "min_delay_s": 0.1, "max_delay_s": 60, "runs": [` + runs + `]}`
	}
	for name, c := range map[string]struct{ file, difference, err string }{
		"as it was":              {script("1", `{"lived_s": 0, "delay_s": 0.1}, {"lived_s": 0, "delay_s": 0.2}`), "", ""},
		"truncated, not rounded": {script("1", `{"lived_s": 0.9999999999999998, "delay_s": 0.1}`), "", ""},
		"within a microsecond":   {script("1", `{"lived_s": 0, "delay_s": 0.1000009}`), "", ""},
		"no threshold":           {script("0", `{"lived_s": 0, "delay_s": 0}`), "", ""},
		"off by a microsecond": {script("1", `{"lived_s": 0, "delay_s": 0.1}, {"lived_s": 0, "delay_s": 0.200001}`),
			"seed 4, step 2, after a run of 0s: want 200.001ms, got 200ms", ""},
		"an empty file":       {"\n", "", "no scripts"},
		"a script of no runs": {script("1", ""), "", "seed 4: it has no runs"},
		"no script at all":    {"{}", "", "no number"},
		"no JSON":             {"seed 4", "", "line 1"},
		"no number":           {script("1", `{"lived_s": 0}`), "", "seed 4, step 1"},
		"an endless run":      {script("1", `{"lived_s": 1e30, "delay_s": 0}`), "", "do not fit"},
	} {
		_, differences, err := replayBackoff(strings.NewReader(c.file))
		if got := strings.Join(differences, "; "); got != c.difference {
			t.Errorf("%s: got difference %q, want %q", name, got, c.difference)
		}
		if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: got error %v, want %q", name, err, c.err)
		}
	}
}
