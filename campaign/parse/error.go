package parse

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Error is one error of a definition file.
type Error struct {
	File    string
	Line    int // from 1
	Column  int // from 1
	Message string
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Message)
}

// Errors are all the errors of a file, in the order of their places.
type Errors []*Error

// Sorted is the errors of a file in the order of their places, each once.
func (e Errors) Sorted() Errors {
	slices.SortStableFunc(e, func(a, b *Error) int {
		return cmp.Or(a.Line-b.Line, a.Column-b.Column)
	})
	return slices.CompactFunc(e, func(a, b *Error) bool { return *a == *b })
}

func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, x := range e {
		lines[i] = x.Error()
	}
	return strings.Join(lines, "\n")
}
