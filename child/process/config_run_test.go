//go:build unix

package process_test

import (
	"os"
	"testing"

	"github.com/coppice-go/coppice/child/process"
)

// printed is what the process of a definition prints.
func printed(t *testing.T, text string) string {
	t.Helper()
	c, err := parse(t, text).Command()
	if err != nil {
		t.Fatal(err)
	}
	var out lines
	c.Stdout = process.Output{Writer: &out}
	if err := c.Serve(t.Context()); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestAProcessRunsAsItsDefinitionSays(t *testing.T) {
	t.Setenv("CONFIG_OUR", "ours")
	for _, c := range []struct{ name, text, want string }{
		{"a script sees the arguments and the environment", `{"name":"x","shell":true,"cmd":"printf '%s|' \"$1\" \"$2\" \"$K\" \"$CONFIG_OUR\"","args":["a b","$K"],"env":{"K":"v w"}}`, "a b|v w|v w|ours|\n"},
		{"nothing of ours is inherited if it does not want it", `{"name":"x","shell":true,"cmd":"printf %s \"$K$CONFIG_OUR\"","env":{"K":"v"},"os_env":false}`, "v\n"},
		{"it starts in its directory", `{"name":"x","cmd":"pwd","cwd":"/"}`, "/\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := printed(t, c.text); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestAProcessRunsAsTheUserOfItsDefinition(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can run a program as somebody else")
	}
	if got := printed(t, `{"name":"x","cmd":"sh -c 'id -u; id -g'","uid":65534,"gid":"65533"}`); got != "65534\n65533\n" {
		t.Errorf("got %q", got)
	}
	if got := printed(t, `{"name":"x","cmd":"sh","args":["-c","printf %s $HOME"],"uid":"daemon"}`); got == os.Getenv("HOME")+"\n" {
		t.Errorf("$HOME is ours, %q", got)
	}
}
