package liquid

import "fmt"

// Error is a template that is not Liquid, or one that cannot be rendered with its values.
type Error struct {
	Line    int // of the template, from 1; 0: unknown
	Message string
}

func (e *Error) Error() string {
	if e.Line == 0 {
		return e.Message
	}
	return fmt.Sprintf("line %d: %s", e.Line, e.Message)
}

func syntaxError(line int, format string, args ...any) *Error {
	return &Error{Line: line, Message: fmt.Sprintf(format, args...)}
}

// LimitError says which limit a rendering would have exceeded.
type LimitError struct{ Message string }

func (e *LimitError) Error() string { return "template_limit: " + e.Message }

// MissingError names a variable that has no value and is not tested.
type MissingError struct{ Path string }

func (e *MissingError) Error() string { return "missing_variable: " + e.Path }
