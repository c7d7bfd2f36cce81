//go:build !linux && !darwin

package store

import "errors"

// Usage is not known on this system.
func (s *Store) Usage() (float64, error) { return 0, errors.ErrUnsupported }
