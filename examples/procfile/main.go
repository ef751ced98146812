// Command procfile runs the processes of a Procfile under coppice, as foreman,
// honcho and gaffer do:
//
//	go -C examples/procfile run . start -d testdata/project
//
// or, to use it elsewhere, go -C examples/procfile install . and, in a folder
// with a Procfile, procfile start -m web=2,worker=1. From another terminal,
// procfile status, restart web.1, stop worker, scale web=3 and logs -f web ask
// the one that runs there. Instead of a Procfile it takes a YAML or JSON file of
// process definitions; see process.Config for their fields.
//
// What the supervision is for can be seen with kill: a process that fails is
// started again, ever more slowly, and when that happens too often everything
// ends with its exit status. With ^C the processes are told to end, all at once,
// each with its whole group; with the second ^C what is left is killed.
package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"
)

func main() {
	os.Exit(status(command().Execute()))
}

// An exitError ends the program with a status, and says why if there is an err.
type exitError struct {
	status int
	err    error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit status %d", e.status)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// status prints an error for whoever sits at the terminal, and is the exit
// status that it stands for: 2 for what could not be begun, as in a mistake on
// the command line.
func status(err error) int {
	if err == nil {
		return 0
	}
	code := 2
	var ended *exitError
	if errors.As(err, &ended) {
		code, err = ended.status, ended.err
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "procfile:", err)
	}
	return code
}

func command() *cobra.Command {
	var at place
	root := &cobra.Command{
		Use:   "procfile",
		Short: "Run the processes of a Procfile, and look after them",
		Example: `  procfile start                       all processes of ./Procfile
  procfile start web worker            only these
  procfile start -m all=1,web=2        two of web
  procfile start --restart no          end with the first that ends, as foreman does
  procfile status                      what runs, from another terminal
  procfile logs -f web                 what all of web print`,
		SilenceUsage: true, SilenceErrors: true,
	}
	for _, cmd := range append(controlCommands(&at), startCommand(&at), checkCommand(&at)) {
		at.flags(cmd)
		root.AddCommand(cmd)
	}
	return root
}
