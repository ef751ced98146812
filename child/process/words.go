package process

import "fmt"

// words are the names of an enumeration's values, for printing and parsing.
type words[T ~uint8] struct {
	name string
	list []string
}

func (w words[T]) string(v T) string {
	if int(v) < len(w.list) {
		return w.list[v]
	}
	return fmt.Sprintf("%s(%d)", w.name, uint8(v))
}

func (w words[T]) marshal(v T) ([]byte, error) {
	if int(v) < len(w.list) {
		return []byte(w.list[v]), nil
	}
	return nil, fmt.Errorf("process: %s: unknown value %d", w.name, uint8(v))
}

func (w words[T]) unmarshal(text []byte, v *T) error {
	for i, word := range w.list {
		if word == string(text) {
			*v = T(i)
			return nil
		}
	}
	return fmt.Errorf("process: %s: unknown word %q", w.name, text)
}
