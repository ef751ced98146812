package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/coppice-go/coppice/child/process"
)

func TestAFileOfProcessesIsRead(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		file, text string
		want       string
	}{
		"a Procfile":                       {"Procfile", "web: bundle exec rails s -p $PORT\nworker:  ./work\n", "web=bundle exec rails s -p $PORT sh; worker=./work sh"},
		"comments and empty lines":         {"Procfile", "# all of it\n\n  # more\na: b # c\n", "a=b # c sh"},
		"lines that end as on Windows":     {"Procfile", "\ufeffa: b\r\nc: d\r\n", "a=b sh; c=d sh"},
		"a colon in the command":           {"Procfile", "a:echo b: c", "a=echo b: c sh"},
		"a list in YAML":                   {"p.yaml", "- name: a\n  cmd: b c\n- {name: d, cmd: [e f, g], numprocesses: 3}\n", "a=b c; d=e f|g x3"},
		"an object with a list":            {"p.yml", "processes:\n  - name: a\n    cmd: b\n", "a=b"},
		"gaffer's jobs in JSON":            {"p.json", `{"jobs": [{"name": "a", "cmd": "b", "shell": true}]}`, "a=b sh"},
		"one definition in JSON":           {"p.JSON", `{"name": "a", "cmd": "b", "graceful_timeout": 1.5}`, "a=b"},
		"what YAML takes from elsewhere":   {"p.yaml", "- &a {name: a, cmd: b, cwd: c}\n- {<<: *a, name: d}\n", "a=b; d=b"},
		"an alias within the same element": {"p.yaml", "- name: &n a\n  cmd: *n\n", "a=a"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), tt.file)
			write(t, path, tt.text)
			configs, err := load(path)
			if got := spell(configs); err != nil || got != tt.want {
				t.Errorf("it is %q, %v; want %q", got, err, tt.want)
			}
		})
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func spell(configs []process.Config) string {
	var all []string
	for _, c := range configs {
		text := c.Name + "=" + c.Cmd.Text + strings.Join(c.Cmd.List, "|")
		if c.Shell {
			text += " sh"
		}
		if c.NumProcesses > 0 {
			text += " x" + string(rune('0'+c.NumProcesses))
		}
		all = append(all, text)
	}
	return strings.Join(all, "; ")
}

func TestEveryMistakeOfAFileIsTold(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		file, text string
		want       []string
	}{
		"lines that are none":             {"Procfile", "a: b\nc\nd e: f\ng:\n", []string{"line 2:", "line 3:", "line 4:"}},
		"a name that is there twice":      {"Procfile", "a: b\na: c\n", []string{`"a" is there twice`}},
		"a name that is a word of ours":   {"Procfile", "all: b\nsystem: c\n", []string{`"all" is a word`, `"system" is a word`}},
		"a name that is too long":         {"Procfile", strings.Repeat("a", 57) + ": b\n", []string{"at most 56"}},
		"a name with a dot":               {"p.yaml", "- name: a.1\n  cmd: b\n", []string{`"a.1": a name is of letters`}},
		"a name that begins with a dash":  {"Procfile", "-a: b\n", []string{`"-a"`}},
		"an empty file":                   {"Procfile", "\n", []string{"it has no process"}},
		"an empty list":                   {"p.yaml", "[]", []string{"it has no process"}},
		"neither a list nor an object":    {"p.yaml", "42", []string{"must hold a list"}},
		"fields that nobody knows":        {"p.yaml", "- {name: a, cmd: b, comand: c}\n- {name: 3, cmd: b}\n", []string{"definition 1:", "comand", "definition 2:", "name"}},
		"a list beside something else":    {"p.json", `{"jobs": [], "x": 1}`, []string{"definition 1:", "jobs", "x"}},
		"text that is no YAML":            {"p.yaml", "- [", []string{"p.yaml"}},
		"a definition that is no object":  {"p.yaml", "- 42\n", []string{"definition 1:"}},
		"a value of another type":         {"p.yaml", "- {name: a, cmd: b, numprocesses: many}\n", []string{"numprocesses"}},
		"one of two lines":                {"Procfile", "a: b\nc\n", []string{"line 2"}},
		"a scalar where a list should be": {"p.yaml", "processes: 3\n", []string{"definition 1:"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), tt.file)
			write(t, path, tt.text)
			_, err := load(path)
			if err == nil {
				t.Fatal("there is no error")
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is missing in %q", want, err)
				}
			}
		})
	}
}

// asForeman reads a Procfile as foreman does: line by line, passing over what
// it does not understand.
func asForeman(text string) string {
	pattern := regexp.MustCompile(`^([A-Za-z0-9_-]+):\s*(.+)$`)
	var all []string
	for line := range strings.SplitSeq(strings.ReplaceAll(text, "\r\n", "\n"), "\n") {
		if found := pattern.FindStringSubmatch(line); found != nil {
			all = append(all, found[1]+"="+strings.TrimRight(found[2], " \t\r")+" sh")
		}
	}
	return strings.Join(all, "; ")
}

func FuzzProcfile(f *testing.F) {
	for _, text := range []string{"", "a: b", "web: x $PORT\n# c\n\nworker: y\r\n", "a:\u00a0b", "a: \x00", "a\nb: c", "  a: b", "a: b \r \n", "a:\f \t\n"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		configs, err := parseProcfile([]byte(text))
		for _, c := range configs {
			if invalid := c.Validate(); invalid != nil {
				t.Errorf("%q is invalid: %v", c.Name, invalid)
			}
		}
		if want := asForeman(text); err == nil && !strings.HasPrefix(text, "\ufeff") && spell(configs) != want {
			t.Errorf("it is %q, to foreman %q", spell(configs), want)
		}
	})
}

func FuzzDefinitions(f *testing.F) {
	text, err := os.ReadFile(filepath.Join("testdata", "project", "processes.yaml"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(text))
	for _, text := range []string{"", "[]", "- 1", `{"jobs": []}`, "- {name: a, cmd: b}", "a: &a [*a]", "? [1]\n: 2"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		configs, err := parseDefinitions([]byte(text))
		if err != nil {
			return
		}
		for _, c := range configs {
			if invalid := c.Validate(); invalid != nil {
				t.Errorf("%q is invalid: %v", c.Name, invalid)
			}
		}
	})
}
