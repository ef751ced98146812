// Package examples holds programs to run, to read and to copy from. Each folder
// below it is one program that supervises something; the comment at the top of
// its main file says what it shows and how to run it. The package itself has no
// code.
//
// The first one to look at is quickstart:
//
//	go run ./examples/quickstart -for 8s
//
// Then pool, for children that come and go; testing, for the tests of a tree of
// one's own; fromsuture, for who has a program already; and thousands, for very
// many processes.
//
// One with servers that others have written, of which a client expects right
// answers while they are killed, is webstack:
//
//	go run ./examples/webstack
//
// A program with dependencies of its own is a module of its own, as procfile is,
// which runs a Procfile:
//
//	go -C examples/procfile run . start -d testdata/project
//
// The programs are no part of the library: nothing imports them, and they use
// it only as any other program could.
package examples
