package main

import (
	"fmt"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/supervisor"
)

// A policy is what becomes of a process that has ended by itself, and of all
// the others with it.
type policy struct {
	restart     child.Restart
	significant bool
	end         supervisor.AutoShutdown
}

// policies are those of --restart.
//
// no is what foreman does: the first that ends, ends all, and its exit status
// is ours. With on-failure, one that has succeeded is done, and when all are,
// so are we.
var policies = map[string]policy{
	"no":         {child.Temporary, true, supervisor.AnySignificant},
	"on-failure": {child.Transient, true, supervisor.AllSignificant},
	"always":     {child.Permanent, false, supervisor.Never},
}

func parsePolicy(text string) (policy, error) {
	p, ok := policies[text]
	if !ok {
		return p, fmt.Errorf("--restart %q: must be no, on-failure or always", text)
	}
	return p, nil
}
