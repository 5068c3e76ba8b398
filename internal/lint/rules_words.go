package lint

import (
	"fmt"
	"go/ast"
	"go/token"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// glossary is the page whose table says which words were retired.
const glossary = "docs/glossary.md"

// retired is a row of the table: a phrase or a name that is no longer used, and what replaced it. A
// name is also found as a part of a longer one: a retired "send batch" is found in newSendBatch,
// and not in sendBatches.
type retired struct {
	word, now string
	pattern   *regexp.Regexp // of a phrase; nil for a name
	parts     []string       // of a name: its words in lower case; nil for a phrase
}

// codeSpan is text in backticks, on one line.
var codeSpan = regexp.MustCompile("`[^`]+`")

// identifier is a name as Go and most languages write it.
var identifier = regexp.MustCompile(`[\pL_][\pL\pN_]*`)

// retiredWords finds what the glossary retired, so that a word that was replaced does not come
// back: phrases in code, comments and pages; names in what Go declares, and in backticks in comments
// and pages. The glossary itself, the changelog and recorded data may have them.
func retiredWords(repo *Repo) []Finding {
	var words []retired
	for _, text := range repo.Texts {
		if text.Path == glossary {
			words = retiredTable(text.Data)
		}
	}
	var findings []Finding
	for _, text := range repo.Texts {
		ext := path.Ext(text.Path)
		if !mayUseRetired(text.Path) && (ext == ".md" || ext == ".go") {
			findings = append(findings, retiredPhrases(words, text)...)
		}
		if !mayUseRetired(text.Path) && ext == ".md" {
			findings = append(findings, retiredInBackticks(words, text.Path, text.Data, 1)...)
		}
	}
	for _, file := range repo.Go {
		if mayUseRetired(file.Path) {
			continue
		}
		// Of Go files only comments are searched for spans: a raw string is in backticks too.
		for _, group := range file.AST.Comments {
			for _, comment := range group.List {
				line := repo.line(comment.Pos())
				findings = append(findings, retiredInBackticks(words, file.Path, comment.Text, line)...)
			}
		}
		for _, declared := range declaredNames(file.AST) {
			if w := retiredPart(words, declared.Name); w != nil {
				findings = append(findings, repo.at(file, declared.Pos(),
					fmt.Sprintf("%s has the retired name %s", declared.Name, w.word), "name it after: "+w.now))
			}
		}
	}
	return findings
}

// mayUseRetired reports whether a file may use retired words because it lists or records them.
func mayUseRetired(file string) bool {
	return file == glossary || file == "CHANGELOG.md" || inTestdata(file)
}

// retiredPhrases finds retired phrases in a text, line by line: a phrase that is broken over two
// lines is missed.
func retiredPhrases(words []retired, text Text) (findings []Finding) {
	for i, line := range strings.Split(text.Data, "\n") {
		for _, w := range words {
			if w.pattern != nil && w.pattern.MatchString(line) {
				findings = append(findings, Finding{
					Path: text.Path, Line: i + 1,
					Wrong: fmt.Sprintf("the retired words %q", w.word), Instead: "write: " + w.now,
				})
			}
		}
	}
	return findings
}

// retiredInBackticks finds retired names in the code spans of a text; first is the number of its
// first line in the file.
func retiredInBackticks(words []retired, file, text string, first int) (findings []Finding) {
	for i, line := range strings.Split(text, "\n") {
		for _, span := range codeSpan.FindAllString(line, -1) {
			for _, name := range identifier.FindAllString(span, -1) {
				if w := retiredPart(words, name); w != nil {
					findings = append(findings, Finding{
						Path: file, Line: first + i,
						Wrong: fmt.Sprintf("%s has the retired name %s", name, w.word), Instead: "write: " + w.now,
					})
				}
			}
		}
	}
	return findings
}

// retiredPart returns the retired name whose words occur in a name, one after the other; nil if
// none does.
func retiredPart(words []retired, name string) *retired {
	parts := nameParts(name)
	for i := range words {
		n := len(words[i].parts)
		for at := 0; n > 0 && at+n <= len(parts); at++ {
			if slices.Equal(parts[at:at+n], words[i].parts) {
				return &words[i]
			}
		}
	}
	return nil
}

// nameParts splits a name into its words, in lower case: sendBatchID and send_batch_id -> send,
// batch, id; HTTPServer -> http, server.
func nameParts(name string) (parts []string) {
	var part []rune
	end := func() {
		if len(part) > 0 {
			parts = append(parts, strings.ToLower(string(part)))
		}
		part = nil
	}
	runes := []rune(name)
	for i, r := range runes {
		// A capital begins a word after a small letter, and as the last one of several.
		last := i+1 < len(runes) && unicode.IsLower(runes[i+1])
		if unicode.IsUpper(r) && i > 0 && (!unicode.IsUpper(runes[i-1]) || last) {
			end()
		}
		if r == '_' {
			end()
			continue
		}
		part = append(part, r)
	}
	end()
	return parts
}

// declaredNames returns the identifiers that a file declares: packages, functions, types, values,
// fields and local variables. Their uses follow from them, and the names of other modules are not
// for us to choose.
func declaredNames(file *ast.File) (names []*ast.Ident) {
	names = append(names, file.Name)
	add := func(all ...ast.Expr) {
		for _, x := range all {
			if name, ok := x.(*ast.Ident); ok {
				names = append(names, name)
			}
		}
	}
	ast.Inspect(file, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.ImportSpec:
			if node.Name != nil {
				names = append(names, node.Name)
			}
		case *ast.FuncDecl:
			names = append(names, node.Name)
		case *ast.TypeSpec:
			names = append(names, node.Name)
		case *ast.ValueSpec:
			names = append(names, node.Names...)
		case *ast.Field:
			names = append(names, node.Names...)
		case *ast.LabeledStmt:
			names = append(names, node.Label)
		case *ast.AssignStmt:
			if node.Tok == token.DEFINE {
				add(node.Lhs...)
			}
		case *ast.RangeStmt:
			if node.Tok == token.DEFINE {
				add(node.Key, node.Value)
			}
		}
		return true
	})
	return names
}

// retiredTable reads the rows of the table that begins with | retired | now |. Words in quotes are a
// phrase, a word in backticks is a name.
func retiredTable(page string) []retired {
	var words []retired
	_, table, _ := strings.Cut(page, "\n| retired | now |\n")
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		if len(cells) < 4 {
			break
		}
		word := retired{word: strings.TrimSpace(cells[1]), now: strings.TrimSpace(cells[2])}
		switch {
		case strings.HasPrefix(word.word, `"`):
			word.word = strings.Trim(word.word, `"`)
			// Whole words in any case, with the s of a plural.
			word.pattern = regexp.MustCompile(`(?i)\b` + regexp.QuoteMeta(word.word) + `s?\b`)
		case strings.HasPrefix(word.word, "`"):
			word.parts = nameParts(strings.Trim(word.word, "`"))
		default:
			continue // the line below the head
		}
		words = append(words, word)
	}
	return words
}
