package main

import (
	"context"
	"fmt"
	"go/scanner"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// tokens cuts Go source into tokens, comments and runs of white space. Joined they
// are the source again.
func tokens(src string) ([]string, error) {
	var (
		list    []string
		broken  error
		s       scanner.Scanner
		set     = token.NewFileSet()
		file    = set.AddFile("", -1, len(src))
		invalid = func(pos token.Position, msg string) { broken = fmt.Errorf("line %d: %s", pos.Line, msg) }
		end     = 0
	)
	s.Init(file, []byte(src), invalid, scanner.ScanComments)
	for {
		pos, tok, text := s.Scan()
		if tok == token.EOF {
			break
		}
		if tok == token.SEMICOLON && text == "\n" {
			continue // inserted by the scanner
		}
		if text == "" {
			text = tok.String()
		}
		from := file.Offset(pos)
		if from > end {
			list = append(list, src[end:from])
		}
		list = append(list, text)
		end = from + len(text)
	}
	if end < len(src) {
		list = append(list, src[end:])
	}
	return list, broken
}

// isBlank says whether a token is white space.
func isBlank(tok string) bool { return strings.TrimSpace(tok) == "" }

// isComment says whether a token is a comment.
func isComment(tok string) bool { return strings.HasPrefix(tok, "//") || strings.HasPrefix(tok, "/*") }

// change says that a[a0:a1] became b[b0:b1].
type change struct{ a0, a1, b0, b1 int }

// differ compares lists of tokens; it has git do so, one token a line.
type differ struct{ dir string } // an empty directory of its own

func (d differ) changes(ctx context.Context, a, b []string) ([]change, error) {
	for name, list := range map[string][]string{"a": a, "b": b} {
		var lines strings.Builder
		for _, tok := range list {
			lines.WriteString(strconv.Quote(tok) + "\n")
		}
		if err := os.WriteFile(filepath.Join(d.dir, name), []byte(lines.String()), 0o600); err != nil {
			return nil, err
		}
	}
	out, err := diff(ctx, d.dir, "--histogram", "--unified=0", "a", "b")
	if err != nil {
		return nil, err
	}
	var list []change
	for _, m := range regexp.MustCompile(`(?m)^@@ -(\d+)(,\d+)? \+(\d+)(,\d+)? @@`).FindAllStringSubmatch(out, -1) {
		a0, a1, err := span(m[1], m[2])
		if err != nil {
			return nil, err
		}
		b0, b1, err := span(m[3], m[4])
		if err != nil {
			return nil, err
		}
		list = append(list, change{a0: a0, a1: a1, b0: b0, b1: b1})
	}
	return list, nil
}

// span reads one side of a hunk header, "first line" and ",lines", counted from 0. Of an
// empty side the header names the line before.
func span(first, lines string) (from, to int, err error) {
	from, err = strconv.Atoi(first)
	n := 1
	if err == nil && lines != "" {
		n, err = strconv.Atoi(lines[1:])
	}
	if n > 0 {
		from--
	}
	return from, from + n, err
}

// diff is git diff of two files that are in no repository.
func diff(ctx context.Context, dir string, args ...string) (string, error) {
	args = append([]string{"-c", "core.safecrlf=false", "diff", "--no-index", "--no-color", "--no-ext-diff"}, args...)
	out, err := command(ctx, dir, "git", args...)
	if err != nil && !strings.HasPrefix(out, "diff --git") { // git exits with 1 where the files differ
		return "", err
	}
	return out, nil
}
