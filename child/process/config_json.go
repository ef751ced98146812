package process

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// An ID is a user or a group, by name or number. In JSON it is a string or a
// number. The zero value is nobody in particular.
type ID string

// ParseConfig reads a definition from a JSON object. Fields that it does not
// know, and values of another type than a field takes, are errors that name the
// field and, where it can be no secret, the value; so is what [Config.Validate]
// reports. All of them are told at once, joined by [errors.Join].
func ParseConfig(text []byte) (Config, error) {
	var c Config
	if err := json.Unmarshal(text, &c); err != nil {
		return Config{}, told(err)
	}
	if err := c.Validate(); err != nil {
		return Config{}, err
	}
	return c, nil
}

// told names the package in an error that is json's own.
func told(err error) error {
	var field *FieldError
	if errors.As(err, &field) {
		return err
	}
	return fmt.Errorf("process: Config: %w", err)
}

// MarshalJSON is the definition as [ParseConfig] reads it, with the values of
// its environment.
func (c Config) MarshalJSON() ([]byte, error) {
	type plain Config
	return json.Marshal(plain(c))
}

// UnmarshalJSON is what [ParseConfig] does before it validates.
func (c *Config) UnmarshalJSON(text []byte) error {
	var values map[string]json.RawMessage
	if err := json.Unmarshal(text, &values); err != nil {
		return err
	}
	var read Config
	var errs []error
	fields := read.fields()
	for _, name := range slices.Sorted(maps.Keys(values)) {
		field, ok := fields[name]
		if !ok {
			errs = append(errs, &FieldError{"Config." + printable(name), nil, "must be one of " + strings.Join(slices.Sorted(maps.Keys(fields)), ", ")})
			continue
		}
		if json.Unmarshal(values[name], field) != nil {
			errs = append(errs, &FieldError{"Config." + name, showable(field, values[name]), takes(field)})
		}
	}
	*c = read
	return errors.Join(errs...)
}

// fields are pointers to the fields by their names in JSON.
func (c *Config) fields() map[string]any {
	v := reflect.ValueOf(c).Elem()
	fields := make(map[string]any, v.NumField())
	for i := range v.NumField() {
		name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		fields[name] = v.Field(i).Addr().Interface()
	}
	return fields
}

// takes says what a field takes.
func takes(field any) string {
	switch field.(type) {
	case *string:
		return "must be a string"
	case *bool, **bool:
		return "must be true or false"
	case *int:
		return "must be a whole number"
	case *float64:
		return "must be a number"
	case *[]string:
		return "must be a list of strings"
	case *map[string]string:
		return "must be an object of strings"
	case *Argv:
		return "must be a string or a list of strings"
	case *ID:
		return "must be a name, or a number that is not negative"
	}
	return "must be empty: an open file cannot stand in a text"
}

// showable is a value that can be no secret, or nil.
func showable(field any, value []byte) any {
	switch field.(type) {
	case *Argv, *map[string]string:
		return nil
	}
	const most = 64
	return printable(string(value[:min(len(value), most)]))
}

// MarshalJSON is the text or the list.
func (a Argv) MarshalJSON() ([]byte, error) {
	v, _ := a.MarshalYAML()
	return json.Marshal(v)
}

// UnmarshalJSON reads a string or a list of strings.
func (a *Argv) UnmarshalJSON(text []byte) error {
	return a.UnmarshalYAML(func(v any) error { return json.Unmarshal(text, v) })
}

// UnmarshalJSON reads a string or a number.
func (id *ID) UnmarshalJSON(text []byte) error {
	if bytes.HasPrefix(text, []byte(`"`)) {
		return json.Unmarshal(text, (*string)(id))
	}
	var number *uint32
	if err := json.Unmarshal(text, &number); err != nil {
		return err
	}
	if number != nil {
		*id = ID(strconv.FormatUint(uint64(*number), 10))
	}
	return nil
}

var errOpenFile = errors.New("process: Config.custom_channels: an open file cannot stand in a text")

// MarshalJSON is an empty list, or an error if there are files.
func (c Channels) MarshalJSON() ([]byte, error) {
	if len(c) > 0 {
		return nil, errOpenFile
	}
	return []byte("[]"), nil
}

// UnmarshalJSON reads an empty list.
func (c *Channels) UnmarshalJSON(text []byte) error {
	var list []any
	if err := json.Unmarshal(text, &list); err != nil {
		return err
	}
	if len(list) > 0 {
		return errOpenFile
	}
	*c = nil
	return nil
}
