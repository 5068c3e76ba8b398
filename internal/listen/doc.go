// Package listen accepts connections within bounds. Without bounds a client that opens
// sockets takes every file descriptor of the process: then accepting fails, and so does the
// log when it needs a file.
//
// A Listener limits its connections in total and by client address. Where there is no room
// for a new one, it closes the connection that has waited longest for its client; one whose
// request is being answered is left alone, unless the client takes nothing of the answer.
// listener.go has the bounds, conn.go what counts as waiting, http.go the part for net/http,
// files.go how many connections a process can afford.
package listen
