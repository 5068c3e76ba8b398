// Package schema is the JSON Schema (2020-12) of definition files. It is made from the
// shapes that the parser tells about itself (parse.ShapeOf), so that a field which the
// parser takes cannot be missing; campaign.json is the committed copy, held to it by a
// test.
//
// A document that the parser takes is valid under the schema. The other way round it is
// weaker: it does not know expressions, Liquid, names of time zones and cron rules, nor
// what refers to something (steps, goals, channels, templates, caps), nor limits that
// only all of a document shows (see docs/reference/definitions.md).
package schema

import (
	_ "embed"
	"slices"
)

//go:embed campaign.json
var committed []byte //nudge:constant embedded

// JSON is the schema, indented, with a newline at the end.
func JSON() []byte { return slices.Clone(committed) }
