//go:build !linux

package process

import (
	"context"
	"errors"
	"fmt"
)

// Validate refuses a Reaper here.
func (Reaper) Validate() error {
	return fmt.Errorf("process: a Reaper is Linux's: %w", errors.ErrUnsupported)
}

// Serve fails.
func (r Reaper) Serve(context.Context) error { return r.Validate() }
