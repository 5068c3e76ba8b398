package lint

import (
	"go/ast"
	"go/token"
	"path"
	"slices"
	"strings"
)

// DocComment is the comment of one declaration of the product.
type DocComment struct {
	Path string
	Line int    // of the declaration
	Decl string // its first line
	Text string
}

// isProduct reports whether a file is part of what is shipped: no test, no conformance suite,
// nothing of the simulation and the load tests.
func isProduct(file *GoFile) bool {
	folder := path.Dir(file.Path)
	return !file.isTest() && !strings.HasSuffix(folder, "test") && !inAny(folder, []string{"sim", "bench"})
}

// CommentShare is the number of comment lines divided by that of the lines which are not blank,
// from 0 to 1, over the Go files that are neither tests nor of the simulation and load tests. A
// comment behind code on a line does not count.
func CommentShare(repo *Repo) float64 {
	comments, all := 0, 0
	for _, file := range repo.Go {
		if !isProduct(file) {
			continue
		}
		for line := range strings.Lines(file.Source) {
			line = strings.TrimSpace(line)
			if strings.HasPrefix(line, "//") {
				comments++
			}
			if line != "" {
				all++
			}
		}
	}
	return float64(comments) / float64(max(1, all))
}

// DocComments are the doc comments of the product's functions, methods, types, constants and
// variables, in the order of their files.
func DocComments(repo *Repo) []DocComment {
	var all []DocComment
	for _, file := range repo.Go {
		if !isProduct(file) {
			continue
		}
		add := func(pos token.Pos, doc *ast.CommentGroup) {
			text := doc.Text() // without //go:embed and the like
			if text == "" {
				return
			}
			line := repo.Fset.Position(pos).Line
			decl := strings.Split(file.Source, "\n")[line-1]
			all = append(all, DocComment{Path: file.Path, Line: line, Decl: strings.TrimSpace(decl), Text: text})
		}
		for _, decl := range file.AST.Decls {
			switch decl := decl.(type) {
			case *ast.FuncDecl:
				add(decl.Pos(), decl.Doc)
			case *ast.GenDecl:
				add(decl.Pos(), decl.Doc)
				for _, spec := range decl.Specs {
					switch spec := spec.(type) {
					case *ast.TypeSpec:
						add(spec.Pos(), spec.Doc)
					case *ast.ValueSpec:
						add(spec.Pos(), spec.Doc)
					}
				}
			}
		}
	}
	return slices.Clip(all)
}
