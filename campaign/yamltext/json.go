package yamltext

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
)

// JSON finds the first place at which text is not JSON, and says what is wrong there and
// what to write instead. YAML accepts more than JSON does, for example a comma before a
// closing bracket; a file named .json must be JSON for editors and other programs that read
// it. ok is false where text is JSON, also where it is several values one after the other.
func JSON(text []byte) (p Place, message string, ok bool) {
	// Decode value by value: the offset in a syntax error then counts from the beginning of
	// the text.
	decoder := json.NewDecoder(bytes.NewReader(text))
	for {
		var v json.RawMessage
		err := decoder.Decode(&v)
		if errors.Is(err, io.EOF) {
			return Place{}, "", false
		}
		var e *json.SyntaxError
		switch {
		case err == nil:
			continue
		case errors.As(err, &e):
			return explainJSON(text, int(e.Offset)-1, e)
		default: // the text ends too early
			return placeAt(text, len(text)), "the file ends before all brackets and quotes are closed", true
		}
	}
}

// explainJSON turns a syntax error of encoding/json at an offset of text into a place and a
// message. It looks at the text first, because the usual mistakes can be told from it, and
// then at the words of the error, which are the only thing that tells what the decoder
// expected.
func explainJSON(text []byte, at int, e *json.SyntaxError) (p Place, message string, ok bool) {
	at = max(0, min(at, len(text)-1))
	before := bytes.TrimRight(text[:at], " \t\r\n")
	found := text[at]
	switch {
	case (found == '}' || found == ']') && bytes.HasSuffix(before, []byte(",")):
		return placeAt(text, len(before)-1), "a comma before a closing bracket: JSON has none there; remove it", true
	case found == '\'':
		return placeAt(text, at), `JSON has texts in "..." only`, true
	case found == '/' || found == '#':
		return placeAt(text, at), "JSON has no comments; remove it, or name the file .yaml", true
	case strings.Contains(e.Error(), "beginning of object key"):
		return placeAt(text, at), `the name of a field is written in "..."`, true
	case strings.Contains(e.Error(), "after object key:value pair"), strings.Contains(e.Error(), "after array element"):
		return placeAt(text, at), "a comma or a closing bracket is missing before this", true
	case strings.Contains(e.Error(), "after object key"):
		return placeAt(text, at), "a colon is missing before this", true
	case strings.Contains(e.Error(), "in string literal"):
		return placeAt(text, at), `the text in "..." is not closed on its line`, true
	case strings.Contains(e.Error(), "beginning of value"):
		return placeAt(text, at), `a value is missing here, or a text is not in "..."`, true
	default:
		return placeAt(text, at), "this is no JSON: " + e.Error(), true
	}
}

// placeAt returns the line and column of the byte at an offset of text.
func placeAt(text []byte, offset int) Place {
	before := string(text[:max(0, min(offset, len(text)))])
	line := strings.LastIndex(before, "\n") + 1
	return Place{strings.Count(before, "\n") + 1, len([]rune(before[line:])) + 1}
}
