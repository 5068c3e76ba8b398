// Package procattr has the attributes with which a program starts a child process of its
// own. An interrupt from the terminal reaches the program alone, which then stops the child
// in its own order.
package procattr

import "syscall"

// Own returns attributes that put the child into a process group of its own. On Linux the
// child gets signal when this program ends, also when it is killed, so that the child is
// not left behind.
func Own(signal syscall.Signal) *syscall.SysProcAttr {
	attributes := &syscall.SysProcAttr{Setpgid: true}
	tie(attributes, signal)
	return attributes
}
