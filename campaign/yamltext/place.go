// Package yamltext finds places in the text of a YAML or JSON file and explains in plain
// words what is wrong with a text that does not parse. It is for the messages that authors
// of definitions see: the YAML library tells where a value begins, but not where inside of
// it an expression is wrong, and its errors are written for people who know its grammar.
//
// place.go maps positions in values to positions in the file; syntax.go explains YAML,
// json.go JSON.
package yamltext

import (
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// Place is a place in a file. Line and Column count from 1, the column in characters (not
// bytes).
type Place struct{ Line, Column int }

// Text is the text of a file, split into lines without their ends. It is immutable.
type Text struct{ lines [][]rune }

// New returns the Text of a file. A byte order mark at the beginning is left out, as the
// YAML library does.
func New(text []byte) *Text {
	t := new(Text)
	s := strings.TrimPrefix(string(text), "\uFEFF")
	for line := range strings.SplitSeq(s, "\n") {
		t.lines = append(t.lines, []rune(strings.TrimSuffix(line, "\r")))
	}
	return t
}

// line returns the line with a number from 1; nil beyond the end.
func (t *Text) line(n int) []rune {
	if n < 1 || n > len(t.lines) {
		return nil
	}
	return t.lines[n-1]
}

// Place returns the place in the file of the byte at an offset of the value of n. The value
// and its text in the file differ by escapes, folded lines and indentation, so the two are
// followed in parallel. ok is false where that does not succeed; p is then the beginning of
// the scalar, which is still a useful answer.
func (t *Text) Place(n *yaml.Node, offset int) (p Place, ok bool) {
	start := Place{n.Line, n.Column}
	if n.Kind != yaml.ScalarNode || offset < 0 || offset > len(n.Value) {
		return start, false
	}
	at := utf8.RuneCountInString(n.Value[:offset])
	places := t.places(n)
	if places == nil {
		return start, false
	}
	return places[at], true
}

// places returns the place in the file of each character of n.Value, and at last that of
// its end. It returns nil where the text at n does not spell n.Value, so that the two
// cannot be followed in parallel.
func (t *Text) places(n *yaml.Node) []Place {
	if n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) == 0 {
		w := &walker{text: t, value: []rune(n.Value), line: n.Line, column: n.Column}
		return w.flow()
	}
	// A block scalar (| or >): its indentation is that of its first line that is not empty,
	// or less where the header says so. The header is not parsed; the depths are tried
	// instead.
	deepest := 0
	for line := n.Line + 1; line <= len(t.lines); line++ {
		if d := indent(t.line(line)); d < len(t.line(line)) {
			deepest = d
			break
		}
	}
	for d := deepest; d > 0; d-- { // less deep where the header says so
		w := &walker{text: t, value: []rune(n.Value), line: n.Line + 1, column: d + 1, indent: d}
		if places := w.block(); places != nil {
			return places
		}
	}
	return nil
}

// indent returns the number of spaces at the beginning of a line.
func indent(line []rune) int {
	n := 0
	for n < len(line) && line[n] == ' ' {
		n++
	}
	return n
}

// walker follows a value and its text in parallel and notes the place of each character of
// the value.
type walker struct {
	text  *Text
	value []rune
	// at is the index in value of the next character.
	at int
	// line and column are the place in the text of the next character.
	line, column int
	// indent is the number of spaces before each line of a block scalar.
	indent int
	// places has the places noted so far, one for each character before at.
	places []Place
}

// rest returns what is left of the current line.
func (w *walker) rest() []rune {
	line := w.text.line(w.line)
	return line[min(w.column-1, len(line)):]
}

// take notes the current place for that many characters of the value. One place of the text
// can stand for several, as empty lines do in a folded scalar.
func (w *walker) take(characters int) {
	for range characters {
		w.places = append(w.places, Place{w.line, w.column})
		w.at++
	}
}

// done returns all places and adds the one of the end, which is where an unfinished
// expression is wrong.
func (w *walker) done() []Place { return append(w.places, Place{w.line, w.column}) }

// blanks returns how many of the value's next characters are line feeds.
func (w *walker) blanks() int {
	n := 0
	for w.at+n < len(w.value) && w.value[w.at+n] == '\n' {
		n++
	}
	return n
}

// flow follows a plain scalar, or one in quotes. It returns nil where text and value differ
// in a way that it does not know.
func (w *walker) flow() []Place {
	quote := rune(0)
	if rest := w.rest(); len(rest) > 0 && (rest[0] == '"' || rest[0] == '\'') {
		quote = rest[0]
		w.column++
	}
	for w.at < len(w.value) {
		rest := w.rest()
		switch {
		// The text of the line is used up, but the value goes on.
		case onlySpace(rest):
			if !w.fold() {
				return nil
			}
		case quote == '"' && rest[0] == '\\':
			if len(rest) == 1 { // the line goes on without a space
				w.next()
				continue
			}
			w.take(1)
			w.column += escaped(rest)
		// Inside of single quotes, two of them stand for one.
		case quote == '\'' && rest[0] == '\'' && len(rest) > 1 && rest[1] == '\'':
			w.take(1)
			w.column += 2
		case rest[0] == w.value[w.at]:
			w.take(1)
			w.column++
		default:
			return nil
		}
	}
	return w.done()
}

// fold goes on to the next line that is not empty. In YAML a single line feed inside of a
// flow scalar is a space of the value, and each empty line is a line feed. It returns false
// where the value has neither.
func (w *walker) fold() bool {
	n := w.blanks()
	switch {
	case n > 0:
		w.take(n)
	case w.value[w.at] == ' ':
		w.take(1)
	default:
		return false
	}
	return w.next()
}

// next moves to the first character of the next line that is not empty; false at the end of
// the text.
func (w *walker) next() bool {
	for w.line++; w.line <= len(w.text.lines); w.line++ {
		if line := w.text.line(w.line); !onlySpace(line) {
			w.column = leading(line) + 1
			return true
		}
	}
	return false
}

// block follows a literal or folded block scalar; nil where text and value differ.
func (w *walker) block() []Place {
	for w.at < len(w.value) {
		rest := w.rest()
		switch {
		case len(rest) > 0 && rest[0] == w.value[w.at]:
			w.take(1)
			w.column++
			continue
		case len(rest) > 0:
			return nil
		case w.value[w.at] == ' ': // folded
			w.take(1)
		case w.value[w.at] == '\n':
			// In a folded scalar the first of several line feeds may be left out.
			w.take(1)
		default:
			return nil
		}
		// Skip lines of the text that are empty while the value goes on with text: they
		// were folded.
		w.line++
		w.column = w.indent + 1
		for w.at < len(w.value) && w.value[w.at] != '\n' && len(w.rest()) == 0 && w.line <= len(w.text.lines) {
			w.line++
		}
		if w.line > len(w.text.lines)+1 {
			return nil
		}
	}
	return w.done()
}

// onlySpace reports whether a line has nothing but spaces and tabs.
func onlySpace(line []rune) bool { return leading(line) == len(line) }

// leading returns the number of spaces and tabs at the beginning of a line.
func leading(line []rune) int {
	n := 0
	for n < len(line) && (line[n] == ' ' || line[n] == '\t') {
		n++
	}
	return n
}

// escaped returns the length in characters of the escape sequence at the beginning of rest.
func escaped(rest []rune) int {
	switch rest[1] {
	case 'x':
		return 4
	case 'u':
		return 6
	case 'U':
		return 10
	default:
		return 2
	}
}
