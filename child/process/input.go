package process

import "os"

// Source says where the input of a program comes from. The zero value is
// [Empty].
type Source uint8

const (
	// Empty: from the null device.
	Empty Source = iota
	// Piped: from whoever writes to the [Handle].
	Piped
	// Ours: our own standard input.
	Ours
)

var sourceWords = words[Source]{"Source", []string{Empty: "empty", Piped: "piped", Ours: "ours"}}

// String is the constant's name in lower case.
func (s Source) String() string { return sourceWords.string(s) }

// MarshalText is [Source.String]; an unknown value is an error.
func (s Source) MarshalText() ([]byte, error) { return sourceWords.marshal(s) }

// UnmarshalText is the reverse of [Source.MarshalText].
func (s *Source) UnmarshalText(text []byte) error { return sourceWords.unmarshal(text, s) }

// Input says where a program's standard input comes from. The zero value is
// empty: whoever reads it finds the end.
type Input struct {
	// From says where. Optional; zero is Empty.
	From Source
}

// A Socket is an open socket, or another file, that a program is given by
// systemd's protocol. It stays open between the runs, so that no connection is
// refused while the program is started again.
type Socket struct {
	// Name is told in LISTEN_FDNAMES: letters, digits and the like, without a
	// colon. Optional; zero is "unknown", as the protocol has it.
	Name string
	// File is what is passed on. It is the caller's, and has to stay open
	// while a command runs or may be restarted. Required.
	File *os.File
}

// A Stream is a further descriptor of a program.
type Stream struct {
	// Name is by what [Handle.Stream] finds our end. Required, and unique in
	// its command.
	Name string
	// File is passed on, if it is set; it is the caller's and stays open.
	// Optional; zero is one end of a socket pair, of which each run gets its
	// own, and the handle the other end.
	File *os.File
}
