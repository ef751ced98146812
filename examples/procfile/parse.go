package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/coppice-go/coppice/child/process"
)

var (
	// entry is a line of a Procfile, as foreman and honcho read it.
	entry = regexp.MustCompile(`^([A-Za-z0-9_-]+):\s*(.+)$`)
	// kindName is what a definition may be called: its processes are NAME.1,
	// NAME.2 and so on, so that a name has no dot of its own.
	kindName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_-]{0,55}$`)
)

// load reads a file of processes, whose kind its name tells.
func load(path string) ([]process.Config, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	parse := parseProcfile
	switch strings.ToLower(filepath.Ext(path)) {
	case ".yaml", ".yml", ".json":
		parse = parseDefinitions
	}
	configs, err := parse(text)
	if err == nil {
		err = checkNames(configs)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Base(path), err)
	}
	return configs, nil
}

// parseProcfile reads lines of the form NAME: COMMAND, the command being a
// script of sh. Empty lines and those that begin with # are passed over. All
// mistakes are told at once, with their lines.
func parseProcfile(text []byte) ([]process.Config, error) {
	var configs []process.Config
	var mistakes []error
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	for i, line := range strings.Split(string(text), "\n") {
		line = strings.TrimRight(line, " \t\r")
		if bare := strings.TrimSpace(line); bare == "" || strings.HasPrefix(bare, "#") {
			continue
		}
		found := entry.FindStringSubmatch(line)
		if found == nil || strings.TrimSpace(found[2]) == "" {
			mistakes = append(mistakes, fmt.Errorf("line %d: must have the form NAME: COMMAND", i+1))
			continue
		}
		config := process.Config{Name: found[1], Cmd: process.Argv{Text: found[2]}, Shell: true}
		if err := config.Validate(); err != nil {
			mistakes = append(mistakes, fmt.Errorf("line %d: %w", i+1, err))
			continue
		}
		configs = append(configs, config)
	}
	return configs, errors.Join(mistakes...)
}

// parseDefinitions reads process definitions from YAML, of which JSON is a
// part: a list of them, an object that has such a list as its processes or
// jobs, or one alone.
func parseDefinitions(text []byte) ([]process.Config, error) {
	var document any
	if err := yaml.Unmarshal(text, &document); err != nil {
		return nil, err
	}
	list, ok := document.([]any)
	if object, isObject := document.(map[string]any); isObject {
		for _, key := range []string{"processes", "jobs"} {
			if inner, has := object[key].([]any); has && len(object) == 1 {
				list, ok = inner, true
			}
		}
		if !ok {
			list, ok = []any{object}, true
		}
	}
	if !ok {
		return nil, errors.New("must hold a list of process definitions")
	}
	var configs []process.Config
	var mistakes []error
	for i, element := range list {
		config, err := parseDefinition(element)
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("definition %d: %w", i+1, err))
		}
		configs = append(configs, config)
	}
	return configs, errors.Join(mistakes...)
}

// parseDefinition goes through JSON, because that is how a definition tells
// each of its mistakes.
func parseDefinition(element any) (process.Config, error) {
	text, err := json.Marshal(element)
	if err != nil {
		return process.Config{}, err
	}
	return process.ParseConfig(text)
}

func checkNames(configs []process.Config) error {
	var mistakes []error
	for i, config := range configs {
		if !kindName.MatchString(config.Name) {
			mistakes = append(mistakes, fmt.Errorf("%q: a name is of letters, digits, '_' and '-', at most 56", config.Name))
		}
		if config.Name == system || config.Name == everyKind {
			mistakes = append(mistakes, fmt.Errorf("%q is a word of ours", config.Name))
		}
		if slices.ContainsFunc(configs[:i], func(c process.Config) bool { return c.Name == config.Name }) {
			mistakes = append(mistakes, fmt.Errorf("%q is there twice", config.Name))
		}
	}
	if len(configs) == 0 {
		mistakes = append(mistakes, errors.New("it has no process"))
	}
	return errors.Join(mistakes...)
}
