package listen

import (
	"fmt"
	"syscall"
)

// FileLimit is how many files and connections this process may have open. Go raises the
// soft limit to the hard one when the process starts, and a child gets what its parent had.
func FileLimit() (int, error) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0, fmt.Errorf("listen: RLIMIT_NOFILE: %w", err)
	}
	const most = 1 << 30 // for "unlimited"
	return int(min(limit.Cur, most)), nil
}

// Most is the largest number of connections that Connections recommends.
const Most = 10_000

// Connections is how many connections leave reserve of files for everything else; when files
// are scarce, an eighth of them.
func Connections(files, reserve int) int {
	return min(max(files-reserve, files/8, 1), Most)
}
