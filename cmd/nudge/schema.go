package main

import "github.com/nudge-engine/nudge/internal/schema"

type schemaCommand struct{}

func (*schemaCommand) Help() string {
	return `Editors complete and check definition files by it. In a file, for those that speak
yaml-language-server:
    # yaml-language-server: $schema=campaign.json
It does not know expressions, Liquid and what refers to something: nudge check does.`
}

func (*schemaCommand) Run(out console) error {
	_, err := out.out.Write(schema.JSON())
	return err
}
