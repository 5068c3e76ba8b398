package liquid

import (
	"encoding/base64"
	"html"
	"net/url"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"
	"golang.org/x/text/cases"
	"golang.org/x/text/language"
)

// Texts are counted and cut in letters as people see them: what combines stays together.

// letters returns the letters of a text as people see them (grapheme clusters): a letter
// stays together with its accents, and an emoji with its parts.
func letters(r *run, s string) []string {
	// Fewer letters than bytes are usual; half is charged before the text is cut, as the
	// list is then made.
	r.items(len(s) / 2)
	all := make([]string, 0, len(s)/2)
	state := -1
	for s != "" {
		var letter string
		letter, s, _, state = uniseg.FirstGraphemeClusterInString(s, state)
		all = append(all, letter)
	}
	return all
}

// size returns the number of letters of a text.
func (r *run) size(s string) Number {
	r.step(1 + len(s)/8)
	return count(uniseg.GraphemeClusterCount(s))
}

// appendText is the filter "append": a text with another one after it.
func appendText(r *run, v any, args []any) any { return r.concatenate(r.text(v), r.text(args[0])) }

// prependText is the filter "prepend": a text with another one before it.
func prependText(r *run, v any, args []any) any { return r.concatenate(r.text(args[0]), r.text(v)) }

// concatenate returns a and b as one text.
func (r *run) concatenate(a, b string) string {
	r.make(len(a) + len(b))
	return a + b
}

// mostCased is the greatest number of bytes that one byte of a text becomes by a change of
// case.
const mostCased = 4

// capitalize is the filter "capitalize": the first letter in upper case and the others in
// lower case, as in Liquid.
func capitalize(r *run, s string) any {
	r.cased(s)
	// A first letter with an accent of its own is one cluster, so it is changed as a whole.
	head, rest, _, _ := uniseg.FirstGraphemeClusterInString(s, -1)
	return cases.Title(language.Und).String(head) + cases.Lower(language.Und).String(rest)
}

// upcase is the filter "upcase": a text in capital letters.
func upcase(r *run, s string) any {
	r.cased(s)
	return cases.Upper(language.Und).String(s)
}

// downcase is the filter "downcase": a text in small letters.
func downcase(r *run, s string) any {
	r.cased(s)
	return cases.Lower(language.Und).String(s)
}

// cased charges for a change of case, whose result may be longer than the text.
func (r *run) cased(s string) {
	r.make(mostCased * len(s))
	r.step(len(s) / 8)
}

// strip is the filter "strip", which removes white space from both ends; lstrip and rstrip
// do one end.
func strip(_ *run, s string) any { return strings.TrimSpace(s) }

func lstrip(_ *run, s string) any { return strings.TrimLeftFunc(s, unicode.IsSpace) }

func rstrip(_ *run, s string) any { return strings.TrimRightFunc(s, unicode.IsSpace) }

// stripNewlines is the filter "strip_newlines": a text without its line breaks.
func stripNewlines(r *run, s string) any {
	r.make(len(s))
	return strings.NewReplacer("\r\n", "", "\n", "").Replace(s)
}

// newlineToBreak is the filter "newline_to_br": it writes <br /> before each line break.
func newlineToBreak(r *run, s string) any {
	const tag = "<br />\n"
	r.make(len(s) + len(tag)*strings.Count(s, "\n"))
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\n", tag)
}

// htmlPattern matches what strip_html removes: scripts and styles with their content,
// comments, tags.
var htmlPattern = regexp.MustCompile(`(?s)<script.*?</script>|<!--.*?-->|<style.*?</style>|<.*?>`)

// stripHTML is the filter "strip_html", as in Liquid. It is no protection against hostile
// HTML.
func stripHTML(r *run, s string) any {
	r.make(len(s))
	r.step(len(s) / 8)
	return htmlPattern.ReplaceAllString(s, "")
}

// mostEscaped is the greatest number of bytes that one byte becomes when it is escaped for
// HTML, as a quote does (&#34;).
const mostEscaped = 5

// escape is the filter "escape": it replaces &, <, >, " and ' by their HTML entities.
func escape(r *run, s string) any {
	r.make(mostEscaped * len(s))
	return html.EscapeString(s)
}

// escapeOnce is the filter "escape_once": it escapes what is not escaped yet.
func escapeOnce(r *run, s string) any {
	// Unescaping and escaping again each make a text.
	r.make(2 * mostEscaped * len(s))
	return html.EscapeString(html.UnescapeString(s))
}

// urlEncode is the filter "url_encode": it escapes a text for the query of a URL, "a b" -> "a+b".
func urlEncode(r *run, s string) any {
	r.make(3 * len(s))
	return url.QueryEscape(s)
}

// urlDecode is the filter "url_decode", the opposite of url_encode.
func urlDecode(r *run, s string) any {
	r.make(len(s))
	text, err := url.QueryUnescape(s)
	if err != nil {
		fail("url_decode: %v", err)
	}
	return text
}

// base64Encode returns a filter that writes a text in a base64 alphabet.
func base64Encode(by *base64.Encoding) func(r *run, s string) any {
	return func(r *run, s string) any {
		r.make(by.EncodedLen(len(s)))
		return by.EncodeToString([]byte(s))
	}
}

// base64Decode returns a filter that reads a text in a base64 alphabet. Bytes that are no
// UTF-8 are an error: they could not be part of a message.
func base64Decode(by *base64.Encoding) func(r *run, s string) any {
	return func(r *run, s string) any {
		r.make(len(s))
		text, err := by.DecodeString(s)
		if err != nil || !utf8.Valid(text) {
			fail("%q is no text in base64", clip(s))
		}
		return string(text)
	}
}

// occurrence says which occurrences of a text are replaced.
type occurrence uint8

const (
	everywhere occurrence = iota
	first
	last
)

// replace returns the filters "replace", "replace_first" and "replace_last".
func replace(which occurrence) func(r *run, v any, args []any) any {
	return func(r *run, v any, args []any) any {
		return r.replaced(which, r.text(v), r.text(args[0]), r.text(argument(args, 1, "")))
	}
}

// remove returns the filters "remove", "remove_first" and "remove_last".
func remove(which occurrence) func(r *run, v any, args []any) any {
	return func(r *run, v any, args []any) any { return r.replaced(which, r.text(v), r.text(args[0]), "") }
}

// replaced returns s with occurrences of old replaced by another text. Each case charges
// for the result before it is made.
func (r *run) replaced(which occurrence, s, old, by string) string {
	switch which {
	case first:
		r.make(len(s) + len(by))
		return strings.Replace(s, old, by, 1)
	case last:
		r.make(len(s) + len(by))
		at := strings.LastIndex(s, old)
		if at < 0 {
			return s
		}
		return s[:at] + by + s[at+len(old):]
	case everywhere:
	}
	// The product below must not overflow.
	if n := strings.Count(s, old); len(by) > 0 && n > maxMemory/len(by) {
		exceed("values of more than %d bytes", maxMemory)
	} else {
		r.make(len(s) + n*len(by))
	}
	return strings.ReplaceAll(s, old, by)
}

// split is the filter "split": the parts of a text between separators. A space separates at
// any white space, an empty separator after each letter. Empty parts at the end are left
// out, as in Ruby.
func split(r *run, v any, args []any) any {
	s, by := r.text(v), r.text(args[0])
	var parts []string
	switch by {
	case " ":
		// At most every second byte begins a part, the other ones are white space.
		r.items(len(s)/2 + 1)
		parts = strings.Fields(s)
	case "":
		parts = letters(r, s)
	default:
		r.items(strings.Count(s, by) + 1)
		parts = strings.Split(s, by)
	}
	for len(parts) > 0 && parts[len(parts)-1] == "" {
		parts = parts[:len(parts)-1]
	}
	all := make([]any, len(parts))
	for i, p := range parts {
		all[i] = p
	}
	return all
}

// truncate is the filter "truncate": it shortens a text to at most as many letters as the first
// argument says, 50 if there is none. A text that was shortened ends with a mark, the second
// argument or "...", whose letters count too.
func truncate(r *run, v any, args []any) any {
	s, mark := r.text(v), r.text(argument(args, 1, "..."))
	most := r.integer("truncate", argument(args, 0, count(50)))
	all := letters(r, s)
	if len(all) <= most {
		return s
	}
	r.make(len(s) + len(mark))
	// Where the mark alone is longer than the text may be, the result is the mark.
	return strings.Join(all[:min(len(all), max(0, most-len(letters(r, mark))))], "") + mark
}

// truncateWords is the filter "truncatewords": it shortens a text to at most as many words as the
// first argument says, 15 if there is none. To a text that was shortened it adds a mark, the
// second argument or "...".
func truncateWords(r *run, v any, args []any) any {
	s, mark := r.text(v), r.text(argument(args, 1, "..."))
	most := max(1, r.integer("truncatewords", argument(args, 0, count(15))))
	r.items(len(s)/2 + 1)
	words := strings.Fields(s)
	if len(words) <= most {
		return s
	}
	r.make(len(s) + len(mark))
	return strings.Join(words[:most], " ") + mark
}
