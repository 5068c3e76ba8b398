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

func letters(r *run, s string) []string {
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

// size is how many letters a text has.
func (r *run) size(s string) Number {
	r.step(1 + len(s)/8)
	return count(uniseg.GraphemeClusterCount(s))
}

func appendText(r *run, v any, args []any) any { return r.concatenate(r.text(v), r.text(args[0])) }

func prependText(r *run, v any, args []any) any { return r.concatenate(r.text(args[0]), r.text(v)) }

func (r *run) concatenate(a, b string) string {
	r.make(len(a) + len(b))
	return a + b
}

// mostCased is how many bytes a byte of a text becomes at most in large or small letters.
const mostCased = 4

// capitalize makes the first letter large and the others small, as Liquid does.
func capitalize(r *run, s string) any {
	r.cased(s)
	head, rest, _, _ := uniseg.FirstGraphemeClusterInString(s, -1)
	return cases.Title(language.Und).String(head) + cases.Lower(language.Und).String(rest)
}

func upcase(r *run, s string) any {
	r.cased(s)
	return cases.Upper(language.Und).String(s)
}

func downcase(r *run, s string) any {
	r.cased(s)
	return cases.Lower(language.Und).String(s)
}

// cased takes what a text costs that is written in other letters.
func (r *run) cased(s string) {
	r.make(mostCased * len(s))
	r.step(len(s) / 8)
}

func strip(_ *run, s string) any { return strings.TrimSpace(s) }

func lstrip(_ *run, s string) any { return strings.TrimLeftFunc(s, unicode.IsSpace) }

func rstrip(_ *run, s string) any { return strings.TrimRightFunc(s, unicode.IsSpace) }

func stripNewlines(r *run, s string) any {
	r.make(len(s))
	return strings.NewReplacer("\r\n", "", "\n", "").Replace(s)
}

func newlineToBreak(r *run, s string) any {
	const tag = "<br />\n"
	r.make(len(s) + len(tag)*strings.Count(s, "\n"))
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\n", tag)
}

var htmlPattern = regexp.MustCompile(`(?s)<script.*?</script>|<!--.*?-->|<style.*?</style>|<.*?>`)

func stripHTML(r *run, s string) any {
	r.make(len(s))
	r.step(len(s) / 8)
	return htmlPattern.ReplaceAllString(s, "")
}

// mostEscaped is how much longer a letter becomes at most, as a quote does.
const mostEscaped = 5

func escape(r *run, s string) any {
	r.make(mostEscaped * len(s))
	return html.EscapeString(s)
}

func escapeOnce(r *run, s string) any {
	r.make(2 * mostEscaped * len(s))
	return html.EscapeString(html.UnescapeString(s))
}

func urlEncode(r *run, s string) any {
	r.make(3 * len(s))
	return url.QueryEscape(s)
}

func urlDecode(r *run, s string) any {
	r.make(len(s))
	text, err := url.QueryUnescape(s)
	if err != nil {
		fail("url_decode: %v", err)
	}
	return text
}

func base64Encode(by *base64.Encoding) func(r *run, s string) any {
	return func(r *run, s string) any {
		r.make(by.EncodedLen(len(s)))
		return by.EncodeToString([]byte(s))
	}
}

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

// where a text is replaced.
type occurrence uint8

const (
	everywhere occurrence = iota
	first
	last
)

func replace(which occurrence) func(r *run, v any, args []any) any {
	return func(r *run, v any, args []any) any {
		return r.replaced(which, r.text(v), r.text(args[0]), r.text(argument(args, 1, "")))
	}
}

func remove(which occurrence) func(r *run, v any, args []any) any {
	return func(r *run, v any, args []any) any { return r.replaced(which, r.text(v), r.text(args[0]), "") }
}

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
	if n := strings.Count(s, old); len(by) > 0 && n > maxMemory/len(by) {
		exceed("values of more than %d bytes", maxMemory)
	} else {
		r.make(len(s) + n*len(by))
	}
	return strings.ReplaceAll(s, old, by)
}

// split cuts a text; a blank cuts at any white space. Empty parts at the end are left out.
func split(r *run, v any, args []any) any {
	s, by := r.text(v), r.text(args[0])
	var parts []string
	switch by {
	case " ":
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

// truncate shortens a text to a number of letters, with those of the mark at its end.
func truncate(r *run, v any, args []any) any {
	s, mark := r.text(v), r.text(argument(args, 1, "..."))
	most := r.integer("truncate", argument(args, 0, count(50)))
	all := letters(r, s)
	if len(all) <= most {
		return s
	}
	r.make(len(s) + len(mark))
	return strings.Join(all[:min(len(all), max(0, most-len(letters(r, mark))))], "") + mark
}

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
