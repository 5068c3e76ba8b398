package lint

import (
	"go/ast"
	"go/token"
	"strings"
)

// findMarks collects the //nudge: comments of a file by the line they are on.
func findMarks(fset *token.FileSet, file *ast.File) map[int]string {
	marks := map[int]string{}
	for _, group := range file.Comments {
		for _, comment := range group.List {
			if text, ok := strings.CutPrefix(comment.Text, "//nudge:"); ok {
				marks[fset.Position(comment.Pos()).Line] = text
			}
		}
	}
	return marks
}

// marked reports whether one of the lines has the mark with a reason. A mark without a
// reason counts for nothing: it must say why the exception is right.
func (f *GoFile) marked(mark string, lines ...int) bool {
	for _, line := range lines {
		word, reason, _ := strings.Cut(f.marks[line], " ")
		if word == mark && strings.TrimSpace(reason) != "" {
			return true
		}
	}
	return false
}

// docLines returns the lines of a comment group, which is where gofmt moves the directives
// of a declaration.
func docLines(repo *Repo, doc *ast.CommentGroup) []int {
	if doc == nil {
		return nil
	}
	var lines []int
	for _, comment := range doc.List {
		lines = append(lines, repo.line(comment.Pos()))
	}
	return lines
}
