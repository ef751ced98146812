package process

import (
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/mattn/go-shellwords"
)

// An Argv is a program with its arguments, or arguments: a text, which is split
// into words as a shell splits it (by github.com/mattn/go-shellwords), or a
// list of words, which are taken as they are. In JSON and YAML it is a string or
// a list of strings. The zero value is empty.
type Argv struct {
	// Text is split. What only a shell can do, such as a pipe, is an error.
	// Optional; not with a List.
	Text string
	// List are words. Optional; nil stands for the words of Text.
	List []string
}

// IsZero reports whether there is neither a text nor a list.
func (a Argv) IsZero() bool { return a.Text == "" && a.List == nil }

// MarshalYAML is the text or the list.
func (a Argv) MarshalYAML() (any, error) {
	if a.List != nil {
		return a.List, nil
	}
	return a.Text, nil
}

// UnmarshalYAML reads a string or a list of strings.
func (a *Argv) UnmarshalYAML(unmarshal func(any) error) error {
	var read Argv
	if unmarshal(&read.Text) != nil {
		read.Text = ""
		if unmarshal(&read.List) != nil {
			return errors.New("must be a string or a list of strings")
		}
	}
	*a = read
	return nil
}

// words are the words, in a slice of their own.
func (a Argv) words() ([]string, error) {
	if a.List != nil {
		return slices.Clone(a.List), nil
	}
	parser := shellwords.Parser{}
	words, err := parser.Parse(a.Text)
	switch {
	case err != nil:
		return nil, errors.New("must have every quote and bracket closed")
	case parser.Position >= 0: // what comes after an operator is not in words
		return nil, errors.New("must not have an operator of the shell, except between quotes")
	}
	return words, nil
}

// environment is that of a process, looked up when the first variable is met.
type environment struct {
	of      Command
	entries []string
}

// variables is what string.Template of Python, and so gaffer, takes for one;
// the last alternative is a dollar sign that means nothing.
var variables = regexp.MustCompile(`\$(?:\$|[A-Za-z_][A-Za-z0-9_]*|\{[A-Za-z_][A-Za-z0-9_]*\}|)`)

// expand puts what they hold in the place of the variables in a word of field,
// unless the word is a script.
func (e *environment) expand(word *string, field string, script bool) error {
	if script || !strings.Contains(*word, "$") {
		return nil
	}
	if e.entries == nil {
		entries, err := e.of.environment()
		if err != nil {
			return err
		}
		e.entries = entries
	}
	var wrong error
	*word = variables.ReplaceAllStringFunc(*word, func(found string) string {
		name := strings.Trim(found[1:], "{}")
		if name == "$" {
			return name
		}
		value, ok := lookupEnv(e.entries, name)
		switch {
		case name == "":
			wrong = &FieldError{"Config." + field, nil, "must have a name after a dollar sign, or a second one"}
		case !ok:
			wrong = &FieldError{"Config." + field, "$" + name, "must be set in the environment of the process"}
		}
		return value
	})
	return wrong
}

func isVariable(key string) bool { return key != "" && !strings.ContainsAny(key, "=\x00") }

func reasonOf(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
