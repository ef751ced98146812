//go:build !linux

package process

import "errors"

const canSample = false

// tree is nothing here.
type tree struct{}

// sample is never called here.
func sample([]*Handle) (map[*Handle]Stats, error) { return nil, errors.ErrUnsupported }
