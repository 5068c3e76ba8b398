package parse

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Error is one error of a definition file, at the place that must be changed.
type Error struct {
	File string
	// Line and Column are from 1.
	Line    int
	Column  int // from 1
	Message string
}

// Error returns the form that editors make clickable: file:line:column: message.
func (e *Error) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Message)
}

// Errors are all the errors of a file, in the order of their places.
type Errors []*Error

// Sorted sorts the errors of a file by their places, drops repetitions, and returns them. It works
// in place.
func (e Errors) Sorted() Errors {
	slices.SortStableFunc(e, func(a, b *Error) int {
		return cmp.Or(a.Line-b.Line, a.Column-b.Column)
	})
	return slices.CompactFunc(e, func(a, b *Error) bool { return *a == *b })
}

// Error returns a line for each error.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, x := range e {
		lines[i] = x.Error()
	}
	return strings.Join(lines, "\n")
}
