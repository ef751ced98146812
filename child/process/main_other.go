//go:build unix && !linux

package process

import (
	"context"

	"github.com/coppice-go/coppice/child/process/internal/notify"
)

// A Notify is refused by [Command.Validate] here.
func (*talk) holdMain(notify.Message)     {}
func (*proc) moveOn(context.Context) bool { return false }
func (*proc) member(int) bool             { return false }
