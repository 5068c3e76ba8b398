package lint

import (
	"fmt"
	"go/ast"
	"go/token"
	"path"
	"strings"
)

// The greatest lengths of files and functions, in lines.
const (
	// maxFileLines is the greatest number of lines of a file. It is a hard limit; the
	// median of good code bases is 100 to 160.
	maxFileLines = 600
	// maxFunctionLines is the greatest number of lines of a function body, comments not
	// counted: what fits on a screen (TigerStyle has the same number).
	maxFunctionLines = 70
)

// packageComment finds packages without a comment on the package clause of any file; a test
// file does not count. A directory with tests only is not a package of its own.
func packageComment(repo *Repo) []Finding {
	type key struct{ dir, name string }
	commented := map[key]bool{}
	for _, file := range repo.Go {
		if file.AST.Doc != nil && strings.TrimSpace(file.AST.Doc.Text()) != "" && !file.isTest() {
			commented[key{path.Dir(file.Path), file.AST.Name.Name}] = true
		}
	}
	var findings []Finding
	for _, file := range repo.Go {
		pkg := key{path.Dir(file.Path), file.AST.Name.Name}
		if file.isTest() || commented[pkg] {
			continue
		}
		commented[pkg] = true // one finding a package
		findings = append(findings, repo.at(file, file.AST.Package,
			"package "+pkg.name+" has no package comment", "say what it is for, above the package clause of doc.go"))
	}
	return findings
}

// size finds files, and function bodies outside of tests, that are too long.
func size(repo *Repo) []Finding {
	var findings []Finding
	for _, file := range repo.Go {
		if strings.HasSuffix(file.Path, "_gen.go") && ast.IsGenerated(file.AST) {
			continue
		}
		if strings.Count(file.Source, "\n") > maxFileLines {
			findings = append(findings, Finding{
				Path: file.Path, Line: maxFileLines + 1,
				Wrong:   fmt.Sprintf("file has more than %d lines", maxFileLines),
				Instead: "split it by idea (generated code: name it *_gen.go and keep its header)",
			})
		}
		if !file.isTest() {
			findings = append(findings, longFunctions(repo, file)...)
		}
	}
	return findings
}

// longFunctions finds the functions of a file whose bodies are too long.
func longFunctions(repo *Repo, file *GoFile) []Finding {
	var findings []Finding
	for _, decl := range file.AST.Decls {
		function, ok := decl.(*ast.FuncDecl)
		if !ok || function.Body == nil {
			continue
		}
		if lines := bodyLines(repo, file, function.Body); lines > maxFunctionLines {
			findings = append(findings, repo.at(file, function.Pos(),
				fmt.Sprintf("function %s has %d lines, more than %d", function.Name.Name, lines, maxFunctionLines),
				"give its steps names of their own"))
		}
	}
	return findings
}

// bodyLines counts the lines of a body as the linter funlen does: between the braces,
// without lines that are comments only.
func bodyLines(repo *Repo, file *GoFile, body *ast.BlockStmt) int {
	lines := repo.line(body.Rbrace) - repo.line(body.Lbrace) - 1
	for _, group := range file.AST.Comments {
		if group.Pos() > body.Lbrace && group.End() < body.Rbrace && alone(repo, file, group.Pos()) {
			lines -= repo.line(group.End()) - repo.line(group.Pos()) + 1
		}
	}
	return lines
}

// alone reports whether a position is the first thing on its line. A comment behind a
// statement does not make its line a comment line.
func alone(repo *Repo, file *GoFile, pos token.Pos) bool {
	offset := repo.Fset.Position(pos).Offset
	start := strings.LastIndexByte(file.Source[:offset], '\n') + 1
	return strings.TrimSpace(file.Source[start:offset]) == ""
}
