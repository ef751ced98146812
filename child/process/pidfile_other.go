//go:build unix && !linux

package process

import "context"

// follow is Linux's: elsewhere [Command.Validate] refuses a PIDFile.
func (p *proc) follow(context.Context) {}

// explain is Linux's, too: what it needs to know costs more elsewhere.
func (p *proc) explain(context.Context) {}
