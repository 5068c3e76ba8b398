package lint

import (
	"fmt"
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

// minCommentShare is the smallest share of comment lines of the product. Well explained code has
// 0.2 to 0.3, counted in the same way (river 0.21, etcd's raft 0.33); the limit holds what is
// reached. It is no aim: a comment that repeats its line makes the share larger and the code worse.
const minCommentShare = 0.18

// CommentShare is the number of comment lines divided by that of the lines which are not blank,
// from 0 to 1, over the Go files that are neither tests nor of the simulation and load tests. A
// comment behind code on a line does not count.
func CommentShare(repo *Repo) float64 {
	var sum lineCount
	for _, file := range repo.Go {
		if isProduct(file) {
			sum = sum.plus(countLines(file.Source))
		}
	}
	return sum.share()
}

// lineCount counts the lines of a text: those that are comments, and all that are not blank.
type lineCount struct{ comments, all int }

// plus returns the sum of two counts.
func (c lineCount) plus(d lineCount) lineCount {
	return lineCount{c.comments + d.comments, c.all + d.all}
}

// share is the share of comments, from 0 to 1; 0 of no lines.
func (c lineCount) share() float64 { return float64(c.comments) / float64(max(1, c.all)) }

// missing is how many comment lines would have to be added to reach the smallest share, negative
// where there are enough. Each line that is added makes the whole longer too, hence the division.
func (c lineCount) missing() float64 {
	return (minCommentShare*float64(c.all) - float64(c.comments)) / (1 - minCommentShare)
}

// countLines counts the lines of a Go file.
func countLines(source string) (c lineCount) {
	for line := range strings.Lines(source) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "//") {
			c.comments++
		}
		if line != "" {
			c.all++
		}
	}
	return c
}

// commentShare finds a product with too few comment lines. There is one finding, at the package
// that lacks most of them: a share of each package would make people pad the short ones, and one
// of the whole lets a package that explains itself have less.
func commentShare(repo *Repo) []Finding {
	var sum lineCount
	packages, first := map[string]lineCount{}, map[string]string{}
	worst := ""
	for _, file := range repo.Go { // sorted: each package at once
		if !isProduct(file) {
			continue
		}
		folder, lines := path.Dir(file.Path), countLines(file.Source)
		if first[folder] == "" {
			first[folder] = file.Path
		}
		sum, packages[folder] = sum.plus(lines), packages[folder].plus(lines)
	}
	if sum.missing() <= 0 {
		return nil
	}
	for _, file := range repo.Go {
		folder := path.Dir(file.Path)
		if first[folder] == file.Path && (worst == "" || packages[folder].missing() > packages[worst].missing()) {
			worst = folder
		}
	}
	return []Finding{{
		Path: first[worst], Line: 1,
		Wrong: fmt.Sprintf("%.3f of the product's lines are comments, less than %.2f; package %s lacks most (%.3f)",
			sum.share(), minCommentShare, worst, packages[worst].share()),
		Instead: "say what a reader would have to ask: why, in which unit, what a zero value means",
	}}
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
