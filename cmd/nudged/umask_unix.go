//go:build unix

package main

import "syscall"

// privateFiles makes files that this process and its children create readable by their user
// alone.
func privateFiles() { syscall.Umask(0o077) }
