package parse

import (
	"fmt"

	"go.yaml.in/yaml/v3"

	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/yamltext"
)

// Parsed is what one document of a file means, and where it is there.
type Parsed struct {
	program.Definition
	// Line is where the document begins in its file, from 1.
	Line int
	// Unsupported is what the language has and no server can do yet. It is no error of the
	// document, so that records of the log that have it can be read.
	Unsupported Errors
	// Incomplete says that the document has errors: what could be read of it is here, for
	// checks against others. Where its kind or name is not known, that is empty.
	Incomplete bool
	file       string
	source     *yamltext.Text
	// spots are the nodes of the places that later checks report errors at.
	spots map[Spot]*yaml.Node
}

// Spot names a place of a document that matters when it is checked against others: that of a field,
// perhaps of a step, perhaps for a name. For example, {Step: "remind", Field: "channel", Name:
// "mail"}.
type Spot struct{ Step, Field, Name string }

// Error returns an error at a spot of the document, at a byte of the text that is there; where the
// document does not have the spot, at its beginning.
func (p *Parsed) Error(at Spot, offset int, format string, args ...any) *Error {
	e := &Error{File: p.file, Line: p.Line, Column: 1, Message: fmt.Sprintf(format, args...)}
	if n := p.spots[at]; n != nil {
		place, _ := p.source.Place(n, offset)
		e.Line, e.Column = place.Line, place.Column
	}
	return e
}

// File returns the name of the file that the document is in.
func (p *Parsed) File() string { return p.file }
