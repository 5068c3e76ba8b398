// Package schema has the JSON Schema (draft 2020-12) of definition files, with which
// editors complete and check them. It is generated from the shapes that the parser
// describes itself by (parse.ShapeOf), so that it lacks no field that the parser accepts.
// campaign.json is the committed copy; a test compares the two.
//
// Every document that the parser accepts is valid under the schema. The converse does not
// hold: the schema does not know expressions, Liquid, names of time zones and cron rules,
// references between steps, goals, channels, templates and caps, and limits that depend on
// the whole document. docs/reference/definitions.md lists them.
package schema

import (
	_ "embed"
	"slices"
)

// committed is the schema as it is in the repository.
//
//go:embed campaign.json
var committed []byte //nudge:constant embedded

// JSON returns the schema, indented, with a newline at the end. The caller may change the
// result.
func JSON() []byte { return slices.Clone(committed) }
