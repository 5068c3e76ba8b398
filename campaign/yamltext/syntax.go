package yamltext

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	yaml4 "go.yaml.in/yaml/v4"
)

// maxQuoted is the greatest length in characters of what a message quotes from a line.
const maxQuoted = 60

// Syntax finds the first place at which text is not YAML, and says what is wrong there and
// what to write instead. ok is false where no error is found.
func Syntax(text []byte) (p Place, message string, ok bool) {
	// The library that reads definitions tells no column, and the line of what the error
	// is in; its successor tells both.
	decoder := yaml4.NewDecoder(bytes.NewReader(text))
	for {
		var n yaml4.Node
		err := decoder.Decode(&n)
		if errors.Is(err, io.EOF) {
			return Place{}, "", false
		}
		if err == nil {
			continue
		}
		f := finding{text: New(text), message: err.Error()}
		var e *yaml4.LoadError
		if errors.As(err, &e) {
			f.message = e.Message
			f.place, f.context = Place{e.Mark.Line, e.Mark.Column}, Place{e.ContextMark.Line, e.ContextMark.Column}
		}
		// Some errors have no place; the first column of a line is better than none.
		if f.place.Line < 1 || f.place.Column < 1 {
			f.place = Place{max(f.place.Line, 1), 1}
		}
		message := f.explain()
		return f.place, message, true
	}
}

// finding is an error of the YAML library together with the text in which it occurs.
type finding struct {
	text    *Text
	message string
	// place is where the library noticed the error, or where the author must change
	// something.
	place Place
	// context is where the construct began in which the error is; zero where the library
	// does not say.
	context Place
}

// explain returns a message for the author, and moves place to where something must be
// changed. The library notices many mistakes, such as an open quote, lines after they were
// made. The order of the cases matters: those above are certain, those below guess from the
// shape of the line.
//
// It recognises an error by the words of the library's message, because the library has no
// other sign of its kind. A message that no case knows is passed on as it is.
func (f *finding) explain() string {
	said := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(f.message, w) {
				return true
			}
		}
		return false
	}
	line := f.text.line(f.place.Line)
	at := rune(0)
	if f.place.Column <= len(line) {
		at = line[f.place.Column-1]
	}
	switch {
	case said("tab character") || at == '\t' && said("cannot start any token"):
		f.place.Column = strings.IndexRune(string(line), '\t') + 1
		return "a tab: write spaces instead"
	case said("control characters", "invalid leading UTF-8", "incomplete UTF-8", "invalid trailing UTF-8",
		"invalid Unicode"):
		return "a character that is no text; save the file as UTF-8"
	case said("end of stream", "document indicator"):
		f.place = f.context
		return "the quote that opens here is not closed"
	case said("unknown escape character", "hexdecimal", "hexadecimal"):
		return `inside "..." a backslash begins an escape like \n; write \\ for a backslash, or put the text in '...'`
	}
	// What the library complains about may only follow from a quote that is still open.
	if p, found := f.openQuote(); found {
		f.place = p
		return "the quote that opens here is not closed on its line; close it, or double a quote that is part " +
			"of the text"
	}
	switch {
	case said("cannot start any token"):
		return f.needsQuotes(line)
	// A value that begins with & or * was taken for an anchor or alias.
	case said("anchor", "alphabetic or numeric"):
		return f.needsQuotes(line)
	case said("mapping values are not allowed"):
		return f.colon(line)
	case said("could not find expected ':'"):
		return f.noColon()
	case said("expected ',' or"):
		return f.comma(line)
	case said("did not find expected"):
		return f.unexpected(line)
	case said("block sequence entries"):
		return `a list begins on a line of its own: write "- ..." on the next line, or [..., ...] here`
	}
	return "this is no YAML: " + f.message
}

// Patterns of lines, by which a mistake is recognised.
var (
	// keyPattern is a field at the beginning of a line and what follows its colon.
	keyPattern = regexp.MustCompile(`^(\s*(?:-\s+)*)([^\s:#'"{}\[\]&*!|>%@,-][^:#{}\[\]]*?)\s*:(\s+)(\S.*)$`)
	// barePattern is a line with nothing but a name, whose colon may be missing.
	barePattern = regexp.MustCompile(`^\s*(?:-\s+)?([A-Za-z_][\w-]*)\s*$`)
	// tightPattern is a field without the space after its colon.
	tightPattern = regexp.MustCompile(`^\s*(?:-\s+)?([A-Za-z_][\w-]*):(\S.*)$`)
	// equalPattern is a field with an equals sign in place of the colon.
	equalPattern = regexp.MustCompile(`^\s*(?:-\s+)?([A-Za-z_][\w-]*)\s*=\s*(.*)$`)
	// dashPattern is an item of a list without the space after its dash.
	dashPattern = regexp.MustCompile(`^\s*-([^\s-].*)$`)
	// lastWord is the last word of a text.
	lastWord = regexp.MustCompile(`\s([A-Za-z_][\w-]*)\s*$`)
	// quotedPattern is a value that opens a quote.
	quotedPattern = regexp.MustCompile(`(?:^\s*-\s+|[:,\[{]\s+|[\[{])(["'])`)
)

// inQuotes returns text in quotes, in a form that YAML takes as it is. A long text is not
// repeated.
func inQuotes(text string) string {
	if r := []rune(text); len(r) > maxQuoted {
		return "'...'"
	}
	if !strings.ContainsAny(text, `"\`) {
		return `"` + text + `"`
	}
	return "'" + strings.ReplaceAll(text, "'", "''") + "'"
}

// needsQuotes explains a value that begins with a character that has a meaning in YAML.
func (f *finding) needsQuotes(line []rune) string {
	value := strings.TrimSpace(string(line[min(f.place.Column-1, len(line)):]))
	if m := keyPattern.FindStringSubmatch(string(line)); m != nil {
		value = strings.TrimSpace(m[4])
	}
	if value == "" {
		return "this is no YAML: " + f.message
	}
	return fmt.Sprintf("a text that begins with %s needs quotes: write %s", string([]rune(value)[:1]), inQuotes(value))
}

// colon explains a colon where none is allowed: inside of a text without quotes, or after a
// line that lacks its own colon or dash, or on a line with a wrong indent.
func (f *finding) colon(line []rune) string {
	m := keyPattern.FindStringSubmatch(string(line))
	// The colon is inside of the value of a field that begins on this line.
	if m != nil && f.place.Column > len([]rune(m[1]+m[2]))+1 {
		return fmt.Sprintf(`a text or expression with ": " in it needs quotes: write %s: %s`, m[2],
			inQuotes(strings.TrimSpace(m[4])))
	}
	// The mistake may be in the line above, which the library took for a text that goes on.
	above := f.place.Line - 1
	for above > 0 && onlySpace(f.text.line(above)) {
		above--
	}
	before := string(f.text.line(above))
	if m := dashPattern.FindStringSubmatch(before); m != nil {
		f.place = Place{above, indent(f.text.line(above)) + 1}
		return fmt.Sprintf(`a space is missing after the dash: write "- %s"`, clip(m[1]))
	}
	if m := barePattern.FindStringSubmatch(before); m != nil {
		f.place = Place{above, indent(f.text.line(above)) + 1}
		return fmt.Sprintf(`a colon is missing: write "%s:"`, m[1])
	}
	if own := dashPattern.FindStringSubmatch(string(line)); own != nil {
		f.place.Column = indent(line) + 1
		return fmt.Sprintf(`a space is missing after the dash: write "- %s"`, clip(own[1]))
	}
	f.place.Column = leading(line) + 1
	return f.indented(line, 0)
}

// noColon explains a field whose name is not followed by a colon and a space.
func (f *finding) noColon() string {
	// The name that lacks its colon is where the construct began.
	if f.context.Line > 0 {
		f.place = f.context
	}
	line := string(f.text.line(f.place.Line))
	if m := tightPattern.FindStringSubmatch(line); m != nil {
		return fmt.Sprintf(`a space is missing after the colon: write "%s: %s"`, m[1], clip(m[2]))
	}
	if m := equalPattern.FindStringSubmatch(line); m != nil {
		return fmt.Sprintf(`fields are written with a colon: write "%s: %s"`, m[1], clip(m[2]))
	}
	return fmt.Sprintf("a colon is missing: write NAME: VALUE instead of %q", clip(strings.TrimSpace(line)))
}

// comma explains a mistake inside of brackets: an open bracket, or a missing comma.
func (f *finding) comma(line []rune) string {
	open := "{"
	if strings.Contains(f.message, "]") {
		open = "["
	}
	if f.context.Line > 0 && f.context.Line < f.place.Line {
		f.place = f.context
		return fmt.Sprintf("the %s that opens here is not closed", open)
	}
	// A colon inside of brackets: the name before it belongs to a field that should follow
	// a comma.
	if f.place.Column <= len(line) && line[f.place.Column-1] == ':' {
		if m := lastWord.FindStringSubmatch(string(line[:f.place.Column-1])); m != nil {
			f.place.Column -= len([]rune(m[1]))
			return fmt.Sprintf("a comma is missing before %q", m[1])
		}
	}
	return "a comma is missing before this, or a bracket; a text or expression with any of , [ ] { } or with " +
		"quotes inside needs quotes around all of it"
}

// unexpected explains text after a complete value, and a line with a wrong indent. The
// first character of the value decides: after a value in quotes or brackets the author did
// not mean it to end there, and all of it needs quotes.
func (f *finding) unexpected(line []rune) string {
	m := keyPattern.FindStringSubmatch(string(line))
	if m == nil || f.place.Column <= len([]rune(m[1]))+1 {
		if f.place.Column <= len(line) && strings.ContainsRune("]}", line[f.place.Column-1]) {
			return fmt.Sprintf("nothing is open that %c closes; remove it", line[f.place.Column-1])
		}
		return f.indented(line, f.context.Column-1)
	}
	value := strings.TrimSpace(m[4])
	closing := rune(0)
	if f.place.Column <= len(line) {
		closing = line[f.place.Column-1]
	}
	switch {
	case closing == '}' || closing == ']':
		return fmt.Sprintf("nothing is open that %c closes; remove it", closing)
	case value[0] == '\'':
		f.place.Column = len([]rune(m[1]+m[2]+":"+m[3])) + 1
		return `the text goes on after its closing quote; write a quote inside '...' twice (''), or use "..."`
	case value[0] == '"':
		f.place.Column = len([]rune(m[1]+m[2]+":"+m[3])) + 1
		return "the text goes on after its closing quote; put all of it in quotes: write " + inQuotes(value)
	case value[0] == '{' || value[0] == '[':
		f.place.Column = len([]rune(m[1]+m[2]+":"+m[3])) + 1
		// {{ begins a variable of a template: quote it in the message as a whole.
		what := value[:1]
		if strings.HasPrefix(value, "{{") {
			what = "{{"
		}
		return fmt.Sprintf("a text that begins with %s needs quotes: write %s", what, inQuotes(value))
	}
	return "this does not belong here: write one field a line, or put the text in quotes"
}

// indented explains a line whose indent fits nothing above it. want is the indent of what
// it seems to belong to; 0 where that is not known.
func (f *finding) indented(line []rune, want int) string {
	have := indent(line)
	if want <= 0 || want == have {
		return fmt.Sprintf("this line is indented by %d, which fits nothing above it; begin it exactly below the "+
			"field that it stands beside", have)
	}
	return fmt.Sprintf("this line is indented by %d, which fits nothing above it; the lines that it seems to belong "+
		"to are indented by %d", have, want)
}

// openQuote finds a quote that opens on a line above the error and is not closed on its own
// line: the library takes everything up to the next quote as the text, and notices the
// mistake where that ends. It looks at most 50 lines back and stops at a line with other
// quotes, where it could only guess.
func (f *finding) openQuote() (p Place, found bool) {
	const lines = 50
	for n := f.place.Line - 1; n >= max(1, f.place.Line-lines); n-- {
		line := f.text.line(n)
		m := quotedPattern.FindAllStringSubmatchIndex(string(line), -1)
		for i := len(m) - 1; i >= 0; i-- {
			quote := string(line)[m[i][2]:m[i][3]]
			if strings.Contains(string(line)[m[i][3]:], quote) {
				continue
			}
			return Place{n, len([]rune(string(line)[:m[i][2]])) + 1}, true
		}
		if strings.ContainsAny(string(line), `"'`) {
			return Place{}, false
		}
	}
	return Place{}, false
}

// clip shortens s for a message.
func clip(s string) string {
	if r := []rune(s); len(r) > maxQuoted {
		return string(r[:maxQuoted]) + "..."
	}
	return s
}
