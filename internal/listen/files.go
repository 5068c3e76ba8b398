package listen

import (
	"fmt"
	"syscall"
)

// FileLimit returns how many files and connections this process may have open
// (RLIMIT_NOFILE). Go raises the soft limit to the hard one when the process starts, and a
// child gets what its parent had.
func FileLimit() (int, error) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0, fmt.Errorf("listen: RLIMIT_NOFILE: %w", err)
	}
	const most = 1 << 30 // for "unlimited"
	return int(min(limit.Cur, most)), nil
}

// Most is the largest number of connections that Connections recommends, also where the
// limit of files allows more: each costs memory.
const Most = 10_000

// Connections returns how many connections a process can accept that may open files and
// needs reserve of them for everything else. Where files are scarce it is an eighth of
// them, at least 1.
func Connections(files, reserve int) int {
	return min(max(files-reserve, files/8, 1), Most)
}
