package process

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/coppice-go/coppice/child"
)

// A Config is a definition of a process as it stands in a file: gaffer's
// process definition, with its names. It goes to JSON and back, and its fields
// are plain, so that a YAML library can decode them too. It is data and may be
// copied and read by any number of goroutines. The zero value is not valid,
// because it names no program.
//
// Except in a script of a Shell, $NAME and ${NAME} in Cmd and Args stand for a
// variable of the environment that the process gets, and $$ for a dollar sign.
// What a variable holds is neither split nor looked into, and one that is not
// set is an error.
type Config struct {
	// Name is the name of the child. Required.
	Name string `json:"name" yaml:"name"`
	// Cmd is the program, and arguments that come before Args. With Shell its
	// text is a script. Required.
	Cmd Argv `json:"cmd,omitzero" yaml:"cmd,omitempty"`
	// Args are the arguments. Optional.
	Args Argv `json:"args,omitzero" yaml:"args,omitempty"`
	// Env are variables beside those of our environment, in their place where
	// the name is the same. Optional.
	Env map[string]string `json:"env,omitempty" yaml:"env,omitempty"`
	// OSEnv says whether our environment is inherited. Optional; nil is true.
	OSEnv *bool `json:"os_env,omitempty" yaml:"os_env,omitempty"`
	// UID is who it runs as. Optional; zero is us.
	UID ID `json:"uid,omitempty" yaml:"uid,omitempty"`
	// GID is the group that it runs as. Optional; zero is the user's own.
	GID ID `json:"gid,omitempty" yaml:"gid,omitempty"`
	// Cwd is the directory that it starts in. Optional; zero is ours.
	Cwd string `json:"cwd,omitempty" yaml:"cwd,omitempty"`
	// Shell runs Cmd as a script of sh, which sees Args as $1, $2 and so on.
	// Optional.
	Shell bool `json:"shell,omitempty" yaml:"shell,omitempty"`
	// Detach leaves the process running when it is stopped and when our program
	// ends. What it prints is discarded: it would have nobody to read it then.
	// Optional; not with RedirectOutput.
	Detach bool `json:"detach,omitempty" yaml:"detach,omitempty"`
	// RedirectOutput are labels for the output and the error output, at most
	// two. With the same label twice both are one stream. Optional; a stream
	// without one is stdout or stderr.
	RedirectOutput []string `json:"redirect_output,omitempty" yaml:"redirect_output,omitempty"`
	// RedirectInput says that its input comes from whoever writes to the
	// [Handle]. Optional; zero is that it is empty.
	RedirectInput bool `json:"redirect_input,omitempty" yaml:"redirect_input,omitempty"`
	// CustomStreams are the names of further descriptors, from 3 on, whose
	// other ends the [Handle] has. Optional.
	CustomStreams []string `json:"custom_streams,omitempty" yaml:"custom_streams,omitempty"`
	// CustomChannels are open files that are passed on, after the streams. Only
	// a program can set them: in a text the list is empty. Optional.
	CustomChannels Channels `json:"custom_channels,omitempty" yaml:"-"`
	// NumProcesses is how many processes [Config.Children] makes. Optional;
	// zero is one.
	NumProcesses int `json:"numprocesses,omitempty" yaml:"numprocesses,omitempty"`
	// GracefulTimeout is the grace of a stop in seconds, also parts of one.
	// Optional; zero is [child.DefaultShutdown].
	GracefulTimeout float64 `json:"graceful_timeout,omitempty" yaml:"graceful_timeout,omitempty"`
}

var _ child.Specer = Config{}

const (
	// mostProcesses bounds what a slip in a file can ask for.
	mostProcesses = 100_000
	// longestGrace is, in seconds, more than thirty years.
	longestGrace = 1e9
)

// Validate reports every mistake in c that can be told without looking at the
// machine and the environment, each as a [*FieldError], joined by
// [errors.Join].
func (c Config) Validate() error {
	var errs []error
	wrong := func(is bool, field string, value any, reason string) {
		if is {
			errs = append(errs, &FieldError{"Config." + field, value, reason})
		}
	}
	wrong(c.Name == "", "name", c.Name, "must not be empty")
	words, err := c.program()
	wrong(err != nil, "cmd", nil, reasonOf(err))
	wrong(err == nil && (len(words) == 0 || words[0] == ""), "cmd", nil, "must name a program")
	_, err = c.Args.words()
	wrong(err != nil, "args", nil, reasonOf(err))
	for _, field := range []struct {
		name string
		argv Argv
	}{{"cmd", c.Cmd}, {"args", c.Args}} {
		wrong(field.argv.Text != "" && field.argv.List != nil, field.name, nil, "must be a text or a list, not both")
	}
	for key := range c.Env {
		wrong(!isVariable(key), "env", key, "must have names that are not empty and have no equals sign")
	}
	wrong(len(c.RedirectOutput) > 2, "redirect_output", c.RedirectOutput, "must have at most two labels")
	wrong(c.Detach && len(c.RedirectOutput) > 0, "redirect_output", c.RedirectOutput, "must be empty with detach: nobody reads it after a stop")
	wrong(c.NumProcesses < 0 || c.NumProcesses > mostProcesses, "numprocesses", strconv.Itoa(c.NumProcesses),
		"must lie between 0 and "+strconv.Itoa(mostProcesses))
	wrong(!(c.GracefulTimeout >= 0 && c.GracefulTimeout <= longestGrace), "graceful_timeout",
		strconv.FormatFloat(c.GracefulTimeout, 'g', -1, 64), "must be a number of seconds, and not negative")
	return errors.Join(errs...)
}

// Command is the command that c defines. An error is a [*FieldError], or
// several of them joined: what [Config.Validate] reports, what
// [Command.Validate] reports, and a variable that is not set. The environment
// is looked at now, once.
func (c Config) Command() (Command, error) {
	if err := c.Validate(); err != nil {
		return Command{}, err
	}
	made := Command{
		Dir: c.Cwd, Shell: c.Shell, CleanEnv: c.OSEnv != nil && !*c.OSEnv, Detach: c.Detach,
		User: User{Name: string(c.UID), Group: string(c.GID)},
	}
	for _, key := range slices.Sorted(maps.Keys(c.Env)) {
		made.Env = append(made.Env, key+"="+c.Env[key])
	}
	if c.Detach {
		made.Orphan = LiveOn
		made.Stdout.To, made.Stderr.To = Discard, Discard
	}
	if c.RedirectInput {
		made.Stdin.From = Piped
	}
	for i, label := range c.RedirectOutput {
		[]*Output{&made.Stdout, &made.Stderr}[i].Label = label
	}
	for _, name := range c.CustomStreams {
		made.Streams = append(made.Streams, Stream{Name: name})
	}
	for i, file := range c.CustomChannels {
		made.Streams = append(made.Streams, Stream{Name: "channel-" + strconv.Itoa(i), File: file})
	}
	if err := c.line(&made); err != nil {
		return Command{}, err
	}
	return made, made.Validate()
}

// line fills in the program and its arguments.
func (c Config) line(made *Command) error {
	words, _ := c.program() // Validate has tried
	args, _ := c.Args.words()
	env := environment{of: *made}
	for i := range words {
		if err := env.expand(&words[i], "cmd", c.Shell && i == 0); err != nil {
			return err
		}
	}
	for i := range args {
		if err := env.expand(&args[i], "args", false); err != nil {
			return err
		}
	}
	made.Path, made.Args = words[0], slices.Concat(words[1:], args)
	return nil
}

// program are the words of Cmd; a script is one.
func (c Config) program() ([]string, error) {
	if c.Shell && c.Cmd.List == nil {
		return []string{c.Cmd.Text}, nil
	}
	return c.Cmd.words()
}

// ChildSpec is a child of that name which runs the command. A c that makes no
// command is one that a supervisor finds to be invalid, with the mistakes.
func (c Config) ChildSpec() child.Spec {
	s := child.Spec{Name: c.Name, Shutdown: time.Duration(c.GracefulTimeout * float64(time.Second))}
	made, err := c.Command()
	if err != nil {
		s.Shutdown, s.Run = 0, invalid{err}
		return s
	}
	s.Run = made
	return s
}

// Children are as many children as NumProcesses says: one with the name of c,
// or several, called NAME-1, NAME-2 and so on.
func (c Config) Children() []child.Specer {
	s := c.ChildSpec()
	if c.NumProcesses <= 1 || c.NumProcesses > mostProcesses {
		return []child.Specer{s}
	}
	children := make([]child.Specer, c.NumProcesses)
	for i := range children {
		s.Name = c.Name + "-" + strconv.Itoa(i+1)
		children[i] = s
	}
	return children
}

// Template is c for a dynamic supervisor, whose Scale runs it any number of
// times. The argument of a child is nil, or a []string of further arguments,
// which are taken as they are.
func (c Config) Template() func(arg any) child.Spec {
	return func(arg any) child.Spec {
		s := c.ChildSpec()
		further, ok := arg.([]string)
		made, valid := s.Run.(Command)
		switch {
		case !ok && arg != nil:
			s.Run = invalid{&FieldError{"Config.args", nil, "must be a list of strings, or nil, for a template"}}
		case valid:
			made.Args = slices.Concat(made.Args, further)
			s.Run = made
		}
		return s
	}
}

// String is the name. The environment holds secrets, which only the JSON of a
// definition shows.
func (c Config) String() string { return printable(c.Name) }

// GoString is the name, so that %#v shows no secret.
func (c Config) GoString() string { return "process.Config(" + c.String() + ")" }

// LogValue is the name, so that a log shows no secret.
func (c Config) LogValue() slog.Value { return slog.StringValue(c.String()) }

// Channels are open files of a [Config].
type Channels []*os.File

// invalid is the service of a definition that makes no command.
type invalid struct{ err error }

func (i invalid) Validate() error             { return i.err }
func (i invalid) Serve(context.Context) error { return &child.StartError{Err: i.err} }
func (i invalid) String() string              { return "process" }
