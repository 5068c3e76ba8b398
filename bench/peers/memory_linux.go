package peers

import "syscall"

// memoryMiB is the memory of the machine; 0 when it is not known.
func memoryMiB() int {
	var info syscall.Sysinfo_t
	if err := syscall.Sysinfo(&info); err != nil {
		return 0
	}
	return int(info.Totalram * uint64(info.Unit) >> 20)
}
