package procattr

import "syscall"

func tie(attributes *syscall.SysProcAttr, signal syscall.Signal) { attributes.Pdeathsig = signal }
