package lint

import (
	"go/ast"
	"go/token"
	"strings"
)

// packageVariables finds variables at package level that can change. They are shared by
// everything in the process: tests that run in parallel meet in them, and the deterministic
// core would depend on who wrote them before. Allowed outside of tests are those that no
// one writes: errors, regular expressions, embedded files, interface assertions, and what a
// comment //nudge:constant vouches for.
func packageVariables(repo *Repo) []Finding {
	var findings []Finding
	for _, file := range repo.Go {
		if file.isTest() {
			continue
		}
		for _, decl := range file.AST.Decls {
			group, ok := decl.(*ast.GenDecl)
			if !ok || group.Tok != token.VAR {
				continue
			}
			for _, spec := range group.Specs {
				if value, ok := spec.(*ast.ValueSpec); ok && !constantVar(repo, file, group, value) {
					findings = append(findings, repo.at(file, value.Pos(),
						"package variable "+value.Names[0].Name+" can be written by anyone",
						"make it a const, a field or a function, or vouch for it: //nudge:constant <reason>"))
				}
			}
		}
	}
	return findings
}

// constantVar reports whether the variables of a declaration are never written, as far as
// the form of the declaration tells.
func constantVar(repo *Repo, file *GoFile, group *ast.GenDecl, value *ast.ValueSpec) bool {
	// The mark may be in the comment above the declaration, above its group, or on the same
	// line.
	lines := append(docLines(repo, group.Doc), docLines(repo, value.Doc)...)
	lines = append(lines, repo.line(value.Pos()), repo.line(group.Pos()))
	if file.marked("constant", lines...) || embedded(group.Doc) || embedded(value.Doc) {
		return true
	}
	if allBlank(value.Names) {
		return true // var _ Interface = ...
	}
	for _, expr := range value.Values {
		if !constantCall(file, expr) {
			return false
		}
	}
	return len(value.Values) > 0
}

// allBlank reports whether all names are the blank identifier.
func allBlank(names []*ast.Ident) bool {
	for _, name := range names {
		if name.Name != "_" {
			return false
		}
	}
	return true
}

// embedded reports whether a //go:embed directive fills the variable.
func embedded(doc *ast.CommentGroup) bool {
	if doc == nil {
		return false
	}
	for _, comment := range doc.List {
		if strings.HasPrefix(comment.Text, "//go:embed ") {
			return true
		}
	}
	return false
}

// constantCall reports whether the expression makes an error or a compiled
// regular expression.
func constantCall(file *GoFile, expr ast.Expr) bool {
	call, ok := expr.(*ast.CallExpr)
	if !ok {
		return false
	}
	from, name := selected(file.AST, call.Fun)
	switch from {
	case "errors":
		return name == "New"
	case "fmt":
		return name == "Errorf"
	case "regexp":
		return name == "MustCompile" || name == "MustCompilePOSIX"
	}
	return false
}
