// Package listen accepts connections within bounds. Without them a client that opens
// sockets takes every file descriptor of the process: then accepting fails, and so does the
// log when it needs a file.
//
// A Listener bounds its connections in total and by client address. Where there is no room
// for a new one, the connection that has waited longest for its client is closed; one whose
// request is being answered is left alone.
package listen
