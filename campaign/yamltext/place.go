// Package yamltext knows where something stands in the text of a YAML file, and says in
// plain words what is wrong with a text that is no YAML.
package yamltext

import (
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// Place is a place of a file: line and column from 1, the column in characters.
type Place struct{ Line, Column int }

// Text is the text of a file.
type Text struct{ lines [][]rune }

// New is the text of a file.
func New(text []byte) *Text {
	t := new(Text)
	s := strings.TrimPrefix(string(text), "\uFEFF")
	for line := range strings.SplitSeq(s, "\n") {
		t.lines = append(t.lines, []rune(strings.TrimSuffix(line, "\r")))
	}
	return t
}

// line is a line by its number from 1; empty beyond the end.
func (t *Text) line(n int) []rune {
	if n < 1 || n > len(t.lines) {
		return nil
	}
	return t.lines[n-1]
}

// Place is where the byte at an offset of a scalar's value stands in the file. ok is
// false when that cannot be told: the place is then that of the scalar.
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

// places are the places of each character of a scalar's value, and of its end; nil when
// the text does not give that value.
func (t *Text) places(n *yaml.Node) []Place {
	if n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) == 0 {
		w := &walker{text: t, value: []rune(n.Value), line: n.Line, column: n.Column}
		return w.flow()
	}
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

// indent is how many spaces a line begins with.
func indent(line []rune) int {
	n := 0
	for n < len(line) && line[n] == ' ' {
		n++
	}
	return n
}

// walker goes through a value and its text in step.
type walker struct {
	text         *Text
	value        []rune
	at           int // in value
	line, column int // in the text
	indent       int // of a block
	places       []Place
}

func (w *walker) rest() []rune {
	line := w.text.line(w.line)
	return line[min(w.column-1, len(line)):]
}

// take notes the place of so many characters of the value, all where the walker is.
func (w *walker) take(characters int) {
	for range characters {
		w.places = append(w.places, Place{w.line, w.column})
		w.at++
	}
}

func (w *walker) done() []Place { return append(w.places, Place{w.line, w.column}) }

// blanks is how many of the value's next characters are line feeds.
func (w *walker) blanks() int {
	n := 0
	for w.at+n < len(w.value) && w.value[w.at+n] == '\n' {
		n++
	}
	return n
}

// flow follows a plain scalar, or one in quotes.
func (w *walker) flow() []Place {
	quote := rune(0)
	if rest := w.rest(); len(rest) > 0 && (rest[0] == '"' || rest[0] == '\'') {
		quote = rest[0]
		w.column++
	}
	for w.at < len(w.value) {
		rest := w.rest()
		switch {
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

// fold goes on to the next line that has something: a line feed is a space, and each
// empty line a line feed.
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

// next goes to the first character of the next line that has one.
func (w *walker) next() bool {
	for w.line++; w.line <= len(w.text.lines); w.line++ {
		if line := w.text.line(w.line); !onlySpace(line) {
			w.column = leading(line) + 1
			return true
		}
	}
	return false
}

// block follows a literal or folded scalar.
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

func onlySpace(line []rune) bool { return leading(line) == len(line) }

// leading is how many spaces and tabs a line begins with.
func leading(line []rune) int {
	n := 0
	for n < len(line) && (line[n] == ' ' || line[n] == '\t') {
		n++
	}
	return n
}

// escaped is how long the escape sequence is that begins a text.
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
