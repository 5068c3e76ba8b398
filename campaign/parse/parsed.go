package parse

import (
	"fmt"

	"go.yaml.in/yaml/v3"

	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/yamltext"
)

// Parsed is what one document of a file means, and where it stands there.
type Parsed struct {
	program.Definition
	Line int // of the document in its file, from 1
	// Unsupported is what the language has and no server can do yet. It is no error of the
	// document, so that records of the log that have it can be read.
	Unsupported Errors
	// Incomplete says that the document has errors: what could be read of it is here, for
	// checks against others. Where its kind or name is not known, that is empty.
	Incomplete bool
	file       string
	source     *yamltext.Text
	spots      map[Spot]*yaml.Node
}

// Spot names a place of a document that matters when it is checked against others: that
// of a field, perhaps of a step, perhaps for a name.
type Spot struct{ Step, Field, Name string }

// Error is an error at a spot of the document, at a byte of the text that is
// there; of a spot that the document has not, where the document begins.
func (p *Parsed) Error(at Spot, offset int, format string, args ...any) *Error {
	e := &Error{File: p.file, Line: p.Line, Column: 1, Message: fmt.Sprintf(format, args...)}
	if n := p.spots[at]; n != nil {
		place, _ := p.source.Place(n, offset)
		e.Line, e.Column = place.Line, place.Column
	}
	return e
}

// File is the name of the file that the document is in.
func (p *Parsed) File() string { return p.file }
