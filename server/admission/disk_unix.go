//go:build unix

package admission

import (
	"fmt"
	"syscall"

	"github.com/nudge-engine/nudge/internal/units"
)

// freeDisk returns the space that an ordinary user may still fill on the file system of path.
// It is less than all free space: file systems keep some for root.
func freeDisk(path string) (units.Size, error) {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(path, &fs); err != nil {
		return 0, fmt.Errorf("disk: %w", err)
	}
	return units.Size(int64(fs.Bavail) * int64(fs.Bsize)), nil //nolint:unconvert // another type on macOS
}
