package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
)

// A place is where a project is, as flags that all commands have say.
type place struct {
	file, dir, socket string
}

// flags gives a command its flags; -f is short for the file unless it means
// something else there.
func (p *place) flags(cmd *cobra.Command) {
	flags, short := cmd.Flags(), "f"
	if flags.ShorthandLookup(short) != nil {
		short = ""
	}
	flags.StringVarP(&p.file, "file", short, "", "the `FILE` of processes: a Procfile, or definitions in .yaml, .yml or .json (default Procfile in the directory)")
	flags.StringVarP(&p.dir, "dir", "d", "", "the `DIR` in which the processes run (default that of the file)")
	flags.StringVar(&p.socket, "socket", "", "the control socket, a `PATH` in a directory of mode 0700 (default one for each file, below XDG_RUNTIME_DIR or the user's cache)")
}

// resolve fills in what the command line left out. The paths are absolute and
// without symbolic links, so that all who mean a project agree on its socket.
func (p *place) resolve() error {
	if p.file == "" {
		p.file = filepath.Join(p.dir, "Procfile")
	}
	if p.dir == "" {
		p.dir = filepath.Dir(p.file)
	}
	for _, path := range []*string{&p.file, &p.dir} {
		full, err := filepath.Abs(*path)
		if err != nil {
			return err
		}
		if *path, err = filepath.EvalSymlinks(full); err != nil {
			return err
		}
	}
	if info, err := os.Stat(p.dir); err != nil {
		return err
	} else if !info.IsDir() {
		return fmt.Errorf("%s is no directory", p.dir)
	}
	if p.socket == "" {
		var err error
		p.socket, err = socketFor(p.file)
		return err
	}
	var err error
	p.socket, err = filepath.Abs(p.socket)
	return err
}
