//go:build unix

package main

import "syscall"

// privateFiles has what this process and its children make readable by their user alone.
func privateFiles() { syscall.Umask(0o077) }
