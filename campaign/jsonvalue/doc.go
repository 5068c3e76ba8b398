// Package jsonvalue reads the JSON objects that events carry and customers keep: parsed when
// they are first asked, compared by value, written in a canonical form in which equal objects
// have equal bytes.
package jsonvalue
