package lint

import (
	"go/ast"
	"path"
	"slices"
	"strings"
)

// names finds init functions, which run unseen when a package is imported, and packages whose name
// does not tell what they are for: such a package collects whatever has no place yet. The tests of
// a package, package util_test, count as the package.
func names(repo *Repo) []Finding {
	empty := []string{"util", "utils", "common", "helper", "helpers", "misc", "types"}
	var findings []Finding
	seen := map[string]bool{} // one finding a package
	for _, file := range repo.Go {
		name := strings.TrimSuffix(file.AST.Name.Name, "_test")
		if dir := path.Dir(file.Path); slices.Contains(empty, name) && !seen[dir] {
			seen[dir] = true
			findings = append(findings, repo.at(file, file.AST.Name.Pos(),
				"package "+name+" is named after nothing", "name it after what it provides"))
		}
		for _, decl := range file.AST.Decls {
			if function, ok := decl.(*ast.FuncDecl); ok && function.Recv == nil && function.Name.Name == "init" {
				findings = append(findings, repo.at(file, function.Pos(),
					"func init runs unseen", "call a constructor from main"))
			}
		}
	}
	return findings
}
