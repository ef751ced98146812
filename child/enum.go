package child

import (
	"fmt"
	"strconv"
)

// word is the name of the constant i of an enumeration, or Type(i) where
// there is none.
func word[E ~uint8](names []string, typ string, i E) string {
	if int(i) < len(names) {
		return names[i]
	}
	return typ + "(" + strconv.Itoa(int(i)) + ")"
}

// encode is word for MarshalText: a value without a word is an error.
func encode[E ~uint8](names []string, typ string, i E) ([]byte, error) {
	if int(i) < len(names) {
		return []byte(names[i]), nil
	}
	return nil, fmt.Errorf("child: %s: unknown value %d", typ, i)
}

// decode is the reverse of word.
func decode[E ~uint8](names []string, typ string, text []byte, i *E) error {
	for n, name := range names {
		if name == string(text) {
			*i = E(n)
			return nil
		}
	}
	return fmt.Errorf("child: %s: unknown word %q", typ, text)
}
