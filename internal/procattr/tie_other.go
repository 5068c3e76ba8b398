//go:build !linux

package procattr

import "syscall"

// tie does nothing: only Linux has such a signal.
func tie(*syscall.SysProcAttr, syscall.Signal) {}
