package procattr

import "syscall"

// tie makes the kernel send the signal to the child when its parent ends.
func tie(attributes *syscall.SysProcAttr, signal syscall.Signal) { attributes.Pdeathsig = signal }
