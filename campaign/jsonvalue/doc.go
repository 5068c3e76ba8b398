// Package jsonvalue handles the JSON values that events carry and customers keep. It parses objects
// when they are first read, compares values by meaning, merges objects, and writes them in a canonical
// form in which equal objects have equal bytes. State hashes and replays rest on that form.
//
// It also has the readings of a JSON value that the language needs: as an identifier (text.go), as a
// yes or no (yes_no.go), and as a member at a dotted path (path.go).
//
// All functions are pure. A Lazy, and the values read from it, belong to one goroutine.
package jsonvalue
