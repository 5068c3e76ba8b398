//go:build !linux

package procattr

import "syscall"

func tie(*syscall.SysProcAttr, syscall.Signal) {}
