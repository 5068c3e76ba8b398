// Package procattr has the attributes of a child process that is this program's own: an
// interrupt from the terminal is for the program, which then stops the child.
package procattr

import "syscall"

// Own puts the child into a group of its own. Where the system can, the child gets the signal
// when this program is killed, so that it is not left behind.
func Own(signal syscall.Signal) *syscall.SysProcAttr {
	attributes := &syscall.SysProcAttr{Setpgid: true}
	tie(attributes, signal)
	return attributes
}
