package main

import (
	"context"
	"fmt"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/strategies"
	"github.com/coppice-go/coppice/supervisor"
)

// pool is a supervisor without children: the template makes one of each session
// that StartChild is given. They have no names of their own and are numbered.
func pool(limit int) supervisor.Spec {
	return supervisor.Spec{
		Name:        "pool",
		MaxChildren: limit,
		Backoff:     strategies.Backoff{Min: strategies.None}, // who crashed is back at once
		Template: func(arg any) child.Spec {
			// Transient: one that ends well is done, and its place is free.
			return child.Spec{Run: arg.(*session), Restart: child.Transient}
		},
	}
}

// session serves one client, word by word.
type session struct {
	words chan string
}

func newSession() *session { return &session{words: make(chan string)} }

// Serve listens until its client says good-bye or the pool is stopped. The word
// that makes it crash is lost, and the next run listens on.
func (s *session) Serve(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case word := <-s.words:
			switch word {
			case "bye":
				return nil
			case "crash":
				panic(fmt.Sprintf("%s does not know what to do", child.Path(ctx)))
			}
		}
	}
}

// say tells the session a word, when it listens.
func (s *session) say(ctx context.Context, word string) error {
	select {
	case s.words <- word:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
