package main

import "github.com/nudge-engine/nudge/internal/schema"

// schemaCommand is `nudge schema`: the JSON Schema of definitions, for editors.
type schemaCommand struct{}

func (*schemaCommand) Help() string {
	return `Editors complete and check definition files by it. For those that speak
yaml-language-server, each document of a file begins with
    # yaml-language-server: $schema=.schema.json
A line at the top of the file counts for its first document only. nudge new writes the
line and the schema; after an update write the schema anew:
    nudge schema > campaigns/.schema.json
It does not know expressions, Liquid and what refers to something: nudge check does.`
}

// Run prints the schema of this version.
func (*schemaCommand) Run(out console) error {
	_, err := out.out.Write(schema.JSON())
	return err
}
