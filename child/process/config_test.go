package process_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/child/process"
)

func parse(t *testing.T, text string) process.Config {
	t.Helper()
	c, err := process.ParseConfig([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestADefinitionMakesACommand(t *testing.T) {
	c := parse(t, `{"name":"web","cmd":"web -v","args":"--port '80 80'","env":{"B":"2","A":"1"},"os_env":false,
		"uid":33,"gid":"www-data","cwd":"/srv","redirect_output":["out","err"],"redirect_input":true,
		"custom_streams":["ctl"],"custom_channels":[],"numprocesses":2,"graceful_timeout":0.5}`)
	got, err := c.Command()
	if err != nil && !errors.As(err, new(*process.FieldError)) { // not every system has users and streams
		t.Fatal(err)
	}
	want := process.Command{
		Path: "web", Args: []string{"-v", "--port", "80 80"}, Env: []string{"A=1", "B=2"}, CleanEnv: true, Dir: "/srv",
		User: process.User{Name: "33", Group: "www-data"}, Stdin: process.Input{From: process.Piped},
		Stdout: process.Output{Label: "out"}, Stderr: process.Output{Label: "err"},
		Streams: []process.Stream{{Name: "ctl"}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %s", spell(got))
	}
	if s := c.ChildSpec(); s.Name != "web" || s.Shutdown != 500*time.Millisecond {
		t.Errorf("got %v", s)
	}
	var names []string
	for _, s := range c.Children() {
		names = append(names, s.ChildSpec().Name)
	}
	if !slices.Equal(names, []string{"web-1", "web-2"}) {
		t.Errorf("got %q", names)
	}
}

// spell shows all of a command, which shows nothing of itself.
func spell(c process.Command) string {
	type plain process.Command
	return fmt.Sprintf("%+v", plain(c))
}

func TestWordsAreSplitAsAShellSplitsThem(t *testing.T) {
	t.Setenv("CONFIG_HOME", "/a  b$CONFIG_OUR")
	t.Setenv("CONFIG_OUR", "ours")
	for _, c := range []struct{ name, text, want string }{
		{"a text is split", `"cmd":"a 'b c' d\\ e \"f g\" ''"`, `["a" "b c" "d e" "f g" ""]`},
		{"a list is not split", `"cmd":["a","b c"]`, `["a" "b c"]`},
		{"arguments follow the words of the program", `"cmd":"a b","args":["c d"]`, `["a" "b" "c d"]`},
		{"a variable of ours is put in and not looked into", `"cmd":"a $CONFIG_HOME"`, `["a" "/a  b$CONFIG_OUR"]`},
		{"a variable of the process hides ours", `"cmd":"a ${CONFIG_OUR}s","env":{"CONFIG_OUR":"its"}`, `["a" "itss"]`},
		{"two dollar signs are one", `"cmd":"a $$CONFIG_OUR"`, `["a" "$CONFIG_OUR"]`},
		{"a list has variables too", `"cmd":["a","$CONFIG_OUR"]`, `["a" "ours"]`},
		{"a script is the shell's", `"cmd":"a | b $CONFIG_OUR","args":"x $CONFIG_OUR","shell":true`, `["a | b $CONFIG_OUR" "x" "ours"]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			made, err := parse(t, `{"name":"x",`+c.text+`}`).Command()
			if err != nil && !made.Shell {
				t.Fatal(err)
			}
			if got := fmt.Sprintf("%q", append([]string{made.Path}, made.Args...)); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestEveryMistakeOfADefinitionNamesFieldAndValue(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{`{"name":"x"}`, "Config.cmd: must name a program"},
		{`{"name":"x","cmd":[]}`, "Config.cmd: must name a program"},
		{`{"name":"x","cmd":" "}`, "Config.cmd: must name a program"},
		{`{"name":"x","cmd":[""],"shell":true}`, "Config.cmd: must name a program"},
		{`{"cmd":"a"}`, `Config.name: "": must not be empty`},
		{`{"name":"x","cmd":"a 'b"}`, "Config.cmd: must have every quote"},
		{`{"name":"x","cmd":"a | b"}`, "Config.cmd: must not have an operator"},
		{`{"name":"x","cmd":"a","args":"> b"}`, "Config.args: must not have an operator"},
		{`{"name":"x","cmd":3}`, "Config.cmd: must be a string or a list of strings"},
		{`{"name":"x","cmd":"a","args":[1]}`, "Config.args: must be a string or a list of strings"},
		{`{"name":"x","cmd":"a","colour":"red"}`, "Config.colour: must be one of args, cmd"},
		{`{"name":"x","cmd":"a","Shell":true}`, "Config.Shell: must be one of"},
		{`{"name":"x","cmd":"a","shell":"yes"}`, `Config.shell: "\"yes\"": must be true or false`},
		{`{"name":"x","cmd":"a","os_env":1}`, `Config.os_env: "1": must be true or false`},
		{`{"name":"x","cmd":"a","uid":-1}`, `Config.uid: "-1": must be a name, or a number`},
		{`{"name":"x","cmd":"a","gid":1.5}`, `Config.gid: "1.5": must be a name, or a number`},
		{`{"name":"x","cmd":"a","env":{"A":7}}`, `Config.env: must be an object of strings`},
		{`{"name":"x","cmd":"a","env":{"A=B":"7"}}`, `Config.env: "A=B": must have names`},
		{`{"name":"x","cmd":"a","numprocesses":1.5}`, `Config.numprocesses: "1.5": must be a whole number`},
		{`{"name":"x","cmd":"a","numprocesses":-1}`, `Config.numprocesses: "-1": must lie between 0 and`},
		{`{"name":"x","cmd":"a","graceful_timeout":"1"}`, `Config.graceful_timeout: "\"1\"": must be a number`},
		{`{"name":"x","cmd":"a","graceful_timeout":-1}`, `Config.graceful_timeout: "-1": must be a number of seconds`},
		{`{"name":"x","cmd":"a","redirect_output":"a"}`, `Config.redirect_output: "\"a\"": must be a list of strings`},
		{`{"name":"x","cmd":"a","detach":true,"redirect_output":["a"]}`, `Config.redirect_output: ["a"]: must be empty with detach`},
		{`{"name":"x","cmd":"a","redirect_output":["a","b","c"]}`, `Config.redirect_output: ["a" "b" "c"]: must have at most two`},
		{`{"name":"x","cmd":"a","custom_channels":[3]}`, `Config.custom_channels: "[3]": must be empty`},
		{`{"name":3,"cwd":4}`, "Config.name: \"3\": must be a string"},
		{`{"name":3,"cwd":4}`, "Config.cwd: \"4\": must be a string"},
		{`[]`, "process: Config: json: cannot unmarshal array"},
		{`{} {}`, "process: Config: invalid character"},
		{`null`, "Config.cmd: must name a program"},
	} {
		t.Run(c.text, func(t *testing.T) {
			if _, err := process.ParseConfig([]byte(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q in it", err, c.want)
			}
		})
	}
}

func TestAVariableThatIsNotSetIsAMistake(t *testing.T) {
	t.Setenv("CONFIG_OUR", "ours")
	for _, c := range []struct{ text, want string }{
		{`{"name":"x","cmd":"a $CONFIG_NONE"}`, `Config.cmd: "$CONFIG_NONE": must be set`},
		{`{"name":"x","cmd":"a","args":["${CONFIG_NONE}"]}`, `Config.args: "$CONFIG_NONE": must be set`},
		{`{"name":"x","cmd":"a $CONFIG_OUR","os_env":false}`, `Config.cmd: "$CONFIG_OUR": must be set`},
		{`{"name":"x","cmd":"a","args":["5$"]}`, `Config.args: must have a name after a dollar sign`},
		{`{"name":"x","cmd":"a","args":["${1}"]}`, `Config.args: must have a name after a dollar sign`},
	} {
		t.Run(c.text, func(t *testing.T) {
			def := parse(t, c.text)
			if _, err := def.Command(); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q in it", err, c.want)
			}
			run, ok := def.ChildSpec().Run.(interface{ Validate() error })
			if !ok || run.Validate() == nil {
				t.Error("a supervisor takes the child for valid")
			}
			var failed *child.StartError
			if err := def.ChildSpec().Run.Serve(t.Context()); !errors.As(err, &failed) || failed.Temporary {
				t.Errorf("a start says %v", err)
			}
		})
	}
}

func TestADefinitionShowsNoSecretButAsJSON(t *testing.T) {
	c := process.Config{Name: "web", Cmd: process.Argv{Text: "web --password s3cret"}, Env: map[string]string{"TOKEN": "s3cret"}}
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("text", "config", c)
	for _, shown := range []string{fmt.Sprintf("%v %+v %#v %s", c, c, c, c), log.String(), fmt.Sprint(c.ChildSpec())} {
		if strings.Contains(shown, "s3cret") || !strings.Contains(shown, "web") {
			t.Errorf("got %s", shown)
		}
	}
	_, err := process.ParseConfig([]byte(`{"name":"x","cmd":"a 's3cret","args":"'s3cret","env":{"A":{"x":"s3cret"}}}`))
	if err == nil || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("got %v", err)
	}
	if text, err := json.Marshal(c); err != nil || !strings.Contains(string(text), `"TOKEN":"s3cret"`) {
		t.Errorf("got %s, %v", text, err)
	}
}

func TestAnOpenFileIsPassedOnButNotWritten(t *testing.T) {
	c := process.Config{Name: "x", Cmd: process.Argv{List: []string{"a"}}, CustomStreams: []string{"s"}, CustomChannels: process.Channels{os.Stdin}}
	made, _ := c.Command() // where there are no streams, that is a mistake
	if len(made.Streams) != 2 || made.Streams[1].File != os.Stdin {
		t.Errorf("got %v", made.Streams)
	}
	if text, err := json.Marshal(c); err == nil {
		t.Errorf("got %s", text)
	}
}

func TestATemplateTakesFurtherArguments(t *testing.T) {
	template := process.Config{Name: "x", Cmd: process.Argv{List: []string{"a", "b"}}}.Template()
	one, two := template([]string{"c $x"}).Run.(process.Command), template(nil).Run.(process.Command)
	if !slices.Equal(one.Args, []string{"b", "c $x"}) || !slices.Equal(two.Args, []string{"b"}) {
		t.Errorf("got %q and %q", one.Args, two.Args)
	}
	if run, ok := template(7).Run.(interface{ Validate() error }); !ok || run.Validate() == nil {
		t.Error("a number was taken for arguments")
	}
}

func TestADefinitionCanBeReadFromYAML(t *testing.T) {
	fields := reflect.TypeFor[process.Config]()
	for i := range fields.NumField() {
		field := fields.Field(i)
		asJSON, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		asYAML, _, _ := strings.Cut(field.Tag.Get("yaml"), ",")
		if asJSON != asYAML && field.Name != "CustomChannels" {
			t.Errorf("%s is %s in JSON and %s in YAML", field.Name, asJSON, asYAML)
		}
	}
	for text, want := range map[string]process.Argv{`"a b"`: {Text: "a b"}, `["a b"]`: {List: []string{"a b"}}} {
		var got process.Argv
		err := got.UnmarshalYAML(func(v any) error { return json.Unmarshal([]byte(text), v) })
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %v, %v", text, got, err)
		}
		if v, err := got.MarshalYAML(); err != nil || fmt.Sprint(v) != strings.Trim(text, `"`) && fmt.Sprint(v) != "[a b]" {
			t.Errorf("%s: back as %v, %v", text, v, err)
		}
	}
}

// FuzzConfig: whatever stands in a definition, reading it does not panic, and
// what can be read is the same when it was written and read again.
func FuzzConfig(f *testing.F) {
	for _, text := range []string{
		`{"name":"web","cmd":"web -v","args":"--port 80","env":{"A":"1"},"uid":33,"gid":"www","cwd":"/srv"}`,
		`{"name":"a","cmd":["a","$HOME"],"args":["${HOME}","$$"],"os_env":true,"shell":false}`,
		`{"name":"a","cmd":"cat | wc","shell":true,"redirect_output":["a","a"],"redirect_input":true}`,
		`{"name":"a","cmd":"a","detach":true}`,
		`{"name":"a","cmd":"a","custom_streams":["x"],"custom_channels":[],"numprocesses":3,"graceful_timeout":1e-3}`,
		`{"name":"a","cmd":"a 'b","colour":null}`, `{"name":"a","cmd":"a 2>b $(c) ` + "`d`" + `"}`,
		`{"name":"a","cmd":null,"uid":null,"args":null,"env":null,"custom_channels":null}`, `[]`, `null`, `{}{`, "\xff",
		`{"name":"a","cmd":" "}`, "{\"name\":\"\xd2\",\"cmd\":\"a\\u0000b\",\"args\":\"\\t\"}",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := process.ParseConfig(text)
		if err != nil {
			return
		}
		written, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		again, err := process.ParseConfig(written)
		if err != nil {
			t.Fatalf("%s: %v", written, err)
		}
		if twice, err := json.Marshal(again); err != nil || string(twice) != string(written) {
			t.Fatalf("%s became %s, %v", written, twice, err)
		}
		one, e1 := c.Command()
		two, e2 := again.Command()
		if fmt.Sprint(e1) != fmt.Sprint(e2) || spell(one) != spell(two) {
			t.Fatalf("%s: %s, %v; again: %s, %v", written, spell(one), e1, spell(two), e2)
		}
	})
}
