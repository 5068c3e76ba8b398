package liquid

import "fmt"

// Error means that a template is not Liquid, or that it cannot be rendered with its values.
type Error struct {
	// Line is the line of the template, from 1; 0 where it is not known.
	Line int
	// Message is for the author of the template.
	Message string
}

func (e *Error) Error() string {
	if e.Line == 0 {
		return e.Message
	}
	return fmt.Sprintf("line %d: %s", e.Line, e.Message)
}

// syntaxError returns an Error about a line of the template.
func syntaxError(line int, format string, args ...any) *Error {
	return &Error{Line: line, Message: fmt.Sprintf(format, args...)}
}

// LimitError means that a rendering would have exceeded a limit; it says which.
type LimitError struct{ Message string }

func (e *LimitError) Error() string { return "template_limit: " + e.Message }

// MissingError means that a variable which is not tested has no value. Path is the variable
// as the template writes it.
type MissingError struct{ Path string }

func (e *MissingError) Error() string { return "missing_variable: " + e.Path }
