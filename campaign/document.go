package campaign

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/nudge-engine/nudge/campaign/yamltext"
)

// APIVersion is the only version of the language there is.
const APIVersion = "nudge/v1"

// The kinds of documents.
const (
	KindCampaign = "Campaign"
	KindChannel  = "Channel"
	KindTemplate = "Template"
	KindPolicy   = "Policy"
)

// Document is one document of a definition file, as a control record carries it.
type Document struct {
	Kind    string `json:"kind"`
	Name    string `json:"name"`
	Version uint32 `json:"version,omitempty"` // assigned when it is applied; 0 before
	Source  string `json:"source"`            // the YAML text
	// Needs lists the variables of each send step's message, found when the
	// document is applied; the core captures their values (design R2).
	Needs map[string][]Variable `json:"needs,omitempty"`
}

// Equal says whether two documents say the same.
func (d *Document) Equal(o *Document) bool {
	return d.Kind == o.Kind && d.Name == o.Name && d.Version == o.Version && d.Source == o.Source &&
		maps.EqualFunc(d.Needs, o.Needs, slices.Equal[[]Variable])
}

// Channel is a configured way to a customer.
type Channel struct {
	Name string
	Type string // one of ChannelTypes
	URL  string // of a webhook
}

// The types of channels.
const (
	ChannelConsole = "console" // prints
	ChannelWebhook = "webhook" // posts to a URL
)

// ChannelTypes are the types of channels; package dispatch makes a channel of each.
func ChannelTypes() []string { return []string{ChannelConsole, ChannelWebhook} }

// Template is a message that several steps can send.
type Template struct {
	Name   string
	Fields []Field
}

// Parsed is what one document says: exactly one of the pointers is set.
type Parsed struct {
	Document Document
	Campaign *Program
	Channel  *Channel
	Template *Template
	Scenario *Scenario
	Policy   *Policy
	Line     int // of the document in its file, from 1
	// Unsupported is what the language has and no server can do yet. It is no error of the
	// document, so that records of the log that have it can be read.
	Unsupported Errors
	file        string
	source      *yamltext.Text
	spots       map[Spot]*yaml.Node
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

// NamePattern is what names of campaigns, channels, templates and ids of steps
// look like: they become subjects, labels and file names.
const NamePattern = `^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$`

var namePattern = regexp.MustCompile(NamePattern)
