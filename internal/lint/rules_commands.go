package lint

import (
	"go/ast"
	"path"
	"slices"
)

// thinCommands are the programs whose work is done by the packages of server and ops: what
// is left in them reads flags and prints.
//
//nudge:constant read only
var thinCommands = []string{"cmd/nudged", "cmd/nudge"}

// noGoInCommands finds goroutines in programs, outside of main.go. What runs by itself
// belongs into a package, where it can be stopped and tested.
func noGoInCommands(repo *Repo) []Finding {
	var findings []Finding
	for _, file := range repo.Go {
		thin := slices.Contains(thinCommands, path.Dir(file.Path))
		if !thin || file.isTest() || path.Base(file.Path) == "main.go" {
			continue
		}
		ast.Inspect(file.AST, func(node ast.Node) bool {
			if statement, ok := node.(*ast.GoStmt); ok {
				findings = append(findings, repo.at(file, statement.Pos(), "go statement in a program",
					"move what runs by itself into a package of server/ or ops/"))
			}
			return true
		})
	}
	return findings
}
