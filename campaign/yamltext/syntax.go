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

// maxQuoted bounds what a message shows of a line, in characters.
const maxQuoted = 60

// Syntax says where a text that is no YAML goes wrong, what is wrong there and what to
// write instead. ok is false for a text in which nothing is found.
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
		if f.place.Line < 1 || f.place.Column < 1 {
			f.place = Place{max(f.place.Line, 1), 1}
		}
		message := f.explain()
		return f.place, message, true
	}
}

// finding is an error of the YAML library.
type finding struct {
	text    *Text
	message string
	place   Place
	context Place // where that began in which the error is; zero when it is not known
}

// explain gives the words for a person, and moves the place to what must be changed.
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
	if p, found := f.openQuote(); found {
		f.place = p
		return "the quote that opens here is not closed on its line; close it, or double a quote that is part " +
			"of the text"
	}
	switch {
	case said("cannot start any token"):
		return f.needsQuotes(line)
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

var (
	// keyPattern is a field at the beginning of a line and what follows its colon.
	keyPattern   = regexp.MustCompile(`^(\s*(?:-\s+)*)([^\s:#'"{}\[\]&*!|>%@,-][^:#{}\[\]]*?)\s*:(\s+)(\S.*)$`)
	barePattern  = regexp.MustCompile(`^\s*(?:-\s+)?([A-Za-z_][\w-]*)\s*$`)
	tightPattern = regexp.MustCompile(`^\s*(?:-\s+)?([A-Za-z_][\w-]*):(\S.*)$`)
	equalPattern = regexp.MustCompile(`^\s*(?:-\s+)?([A-Za-z_][\w-]*)\s*=\s*(.*)$`)
	dashPattern  = regexp.MustCompile(`^\s*-([^\s-].*)$`)
	lastWord     = regexp.MustCompile(`\s([A-Za-z_][\w-]*)\s*$`)
	// quotedPattern is a value that opens a quote.
	quotedPattern = regexp.MustCompile(`(?:^\s*-\s+|[:,\[{]\s+|[\[{])(["'])`)
)

// inQuotes is how a text is written so that YAML takes it as it is.
func inQuotes(text string) string {
	if r := []rune(text); len(r) > maxQuoted {
		return "'...'"
	}
	if !strings.ContainsAny(text, `"\`) {
		return `"` + text + `"`
	}
	return "'" + strings.ReplaceAll(text, "'", "''") + "'"
}

// needsQuotes is for a value that begins with a sign of YAML's own.
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

// colon is for a colon where none can stand: inside a text, or after a wrong indent.
func (f *finding) colon(line []rune) string {
	m := keyPattern.FindStringSubmatch(string(line))
	if m != nil && f.place.Column > len([]rune(m[1]+m[2]))+1 {
		return fmt.Sprintf(`a text or expression with ": " in it needs quotes: write %s: %s`, m[2],
			inQuotes(strings.TrimSpace(m[4])))
	}
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

// noColon is for a field whose name is not followed by a colon and a space.
func (f *finding) noColon() string {
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

// comma is for what stands inside brackets.
func (f *finding) comma(line []rune) string {
	open := "{"
	if strings.Contains(f.message, "]") {
		open = "["
	}
	if f.context.Line > 0 && f.context.Line < f.place.Line {
		f.place = f.context
		return fmt.Sprintf("the %s that opens here is not closed", open)
	}
	if f.place.Column <= len(line) && line[f.place.Column-1] == ':' {
		if m := lastWord.FindStringSubmatch(string(line[:f.place.Column-1])); m != nil {
			f.place.Column -= len([]rune(m[1]))
			return fmt.Sprintf("a comma is missing before %q", m[1])
		}
	}
	return "a comma is missing before this, or a bracket; a text or expression with any of , [ ] { } or with " +
		"quotes inside needs quotes around all of it"
}

// unexpected is for what follows a complete value, and for a wrong indent.
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
		what := value[:1]
		if strings.HasPrefix(value, "{{") {
			what = "{{"
		}
		return fmt.Sprintf("a text that begins with %s needs quotes: write %s", what, inQuotes(value))
	}
	return "this does not belong here: write one field a line, or put the text in quotes"
}

// indented is for a line whose indent fits nothing above; want is the indent of what it
// seems to belong to, 0 when that is not known.
func (f *finding) indented(line []rune, want int) string {
	have := indent(line)
	if want <= 0 || want == have {
		return fmt.Sprintf("this line is indented by %d, which fits nothing above it; begin it exactly below the "+
			"field that it stands beside", have)
	}
	return fmt.Sprintf("this line is indented by %d, which fits nothing above it; the lines that it seems to belong "+
		"to are indented by %d", have, want)
}

// openQuote is the quote that opens above the place, on a line that does not close it,
// and that is closed on the line of the error: the text went on further than was meant.
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

func clip(s string) string {
	if r := []rune(s); len(r) > maxQuoted {
		return string(r[:maxQuoted]) + "..."
	}
	return s
}
