package process

import "fmt"

// shortage says that the descriptors run out.
type shortage struct {
	fd     int
	limit  uint64
	spared uint64
}

func (s *shortage) Error() string {
	return fmt.Sprintf("descriptor %d of %d is needed, and the last %d are kept free", s.fd, s.limit, s.spared)
}
