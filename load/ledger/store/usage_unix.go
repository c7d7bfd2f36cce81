//go:build linux || darwin

package store

import (
	"fmt"
	"syscall"
)

// Usage is the share, 0 to 1, of the ledger's volume that is used, of what may be
// used without privilege.
func (s *Store) Usage() (float64, error) {
	var volume syscall.Statfs_t
	if err := syscall.Statfs(s.dir, &volume); err != nil {
		return 0, fmt.Errorf("asking for the volume of %s: %w", s.dir, err)
	}
	used, free := float64(volume.Blocks-volume.Bfree), float64(volume.Bavail)
	if used+free == 0 {
		return 0, nil // a volume that keeps no account
	}
	return used / (used + free), nil
}
