package main

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strconv"

	"github.com/joho/godotenv"

	"github.com/coppice-go/coppice/child/process"
)

// defaultPort is foreman's.
const defaultPort = 5000

// readEnv reads environment files, later ones over earlier ones. Without any it
// is the .env of the directory, if there is one.
func readEnv(dir string, files []string) (map[string]string, error) {
	if len(files) == 0 {
		env, err := godotenv.Read(filepath.Join(dir, ".env"))
		if errors.Is(err, fs.ErrNotExist) {
			return map[string]string{}, nil
		}
		return env, hideLine(".env", err)
	}
	all := map[string]string{}
	for _, file := range files {
		env, err := godotenv.Read(file)
		if err != nil {
			return nil, hideLine(file, err)
		}
		maps.Copy(all, env)
	}
	return all, nil
}

// hideLine keeps the text of an environment file, which is full of secrets, out
// of the error of its parser, which quotes it.
func hideLine(file string, err error) error {
	var missing *fs.PathError
	if err == nil || errors.As(err, &missing) {
		return err
	}
	return fmt.Errorf("%s: must have lines of the form KEY=value", file)
}

// basePort is where the ports begin: what the flag says, PORT in the .env file,
// PORT in our own environment, or 5000.
func basePort(flag int, env map[string]string) (int, error) {
	if flag != 0 {
		return checkPort(flag, "--port")
	}
	text, where := env["PORT"], "PORT in the environment file"
	if text == "" {
		text, where = os.Getenv("PORT"), "PORT in the environment"
	}
	if text == "" {
		return defaultPort, nil
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		return 0, fmt.Errorf("%s: must be a number", where)
	}
	return checkPort(port, where)
}

func checkPort(port int, where string) (int, error) {
	if port < 1 || port > 65535 {
		return 0, fmt.Errorf("%s: must be from 1 to 65535", where)
	}
	return port, nil
}

// portOf is foreman's rule: a hundred for each kind, by its place in the file,
// and within that one for each process, counted from 1.
func portOf(base, kind, index int) int { return base + 100*kind + index - 1 }

// environment is what a process gets beside our own variables: what the file
// says, its port and its name, and over all that its definition.
func environment(file map[string]string, c process.Config, port int, name string) map[string]string {
	env := maps.Clone(file)
	env["PORT"], env["PS"] = strconv.Itoa(port), name
	maps.Copy(env, c.Env)
	return env
}
