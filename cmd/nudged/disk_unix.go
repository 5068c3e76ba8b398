//go:build unix

package main

import (
	"fmt"
	"syscall"

	"github.com/nudge-engine/nudge/internal/units"
)

// freeDisk is what an ordinary user may still write where path lies.
func freeDisk(path string) (units.Size, error) {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(path, &fs); err != nil {
		return 0, fmt.Errorf("disk: %w", err)
	}
	return units.Size(int64(fs.Bavail) * int64(fs.Bsize)), nil //nolint:unconvert // another type on macOS
}

// privateFiles has what this process and its children make readable by their user alone.
func privateFiles() { syscall.Umask(0o077) }
