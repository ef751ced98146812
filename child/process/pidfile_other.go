//go:build unix && !linux

package process

import "context"

// follow is Linux's: elsewhere [Command.Validate] refuses a PIDFile.
func (p *proc) follow(context.Context) {}
