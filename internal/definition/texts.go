package definition

import (
	"errors"
	"regexp"
	"strings"

	"github.com/nudge-engine/nudge/campaign/parse"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/message"
	"github.com/nudge-engine/nudge/message/liquid"
)

// checkTexts reports what is wrong with the texts of a step's message, or of a template
// (step is empty), each error at its place. Texts that are right one by one are then
// checked together, because they must be rendered with the same values.
func checkTexts(d *parse.Parsed, step string, fields []program.Field, r *message.Renderer, p *problems) {
	// The number of errors before tells whether the loop below adds one.
	before := len(p.byFile[d.File()])
	fail := func(f program.Field, err error) {
		// The name of the field is part of the error already.
		text := strings.TrimPrefix(err.Error(), f.Name+": ")
		var at *liquid.Error
		offset := 0
		if errors.As(err, &at) {
			text, offset = at.Message, offsetIn(f.Source, at)
		}
		spot := parse.Spot{Step: step, Field: "text", Name: strings.TrimPrefix(f.Name, "header.")}
		p.add(d.Error(spot, offset, "%s: %s", f.Name, text))
	}
	for _, f := range fields {
		if _, err := r.Variables([]program.Field{f}); err != nil {
			fail(f, err)
		}
	}
	if len(p.byFile[d.File()]) > before || len(fields) == 0 {
		return
	}
	if _, err := r.Variables(fields); err != nil { // what several texts are together
		fail(fields[0], err)
	}
}

// Patterns for finding the place of an error in a template.
var (
	// liquidTag is an output or tag; at the end of the text also one that is not closed.
	liquidTag = regexp.MustCompile(`(?s)\{\{.*?(?:\}\}|$)|\{%.*?(?:%\}|$)`)
	// quotedInText is a name in quotes in an error.
	quotedInText = regexp.MustCompile(`"((?:[^"\\]|\\.)+)"`)
)

// offsetIn returns the byte of a template at which an error is. The error has only a line,
// so the place is guessed: the first name in quotes of the error that occurs in a tag from
// that line on, else the first tag there.
func offsetIn(source string, e *liquid.Error) int {
	from := 0
	for range max(e.Line-1, 0) {
		next := strings.IndexByte(source[from:], '\n')
		if next < 0 {
			break
		}
		from += next + 1
	}
	tags := liquidTag.FindAllStringIndex(source[from:], -1)
	if len(tags) == 0 {
		return from
	}
	if m := quotedInText.FindStringSubmatch(e.Message); m != nil {
		for _, tag := range tags {
			if at := wordIn(source[from+tag[0]:from+tag[1]], m[1]); at >= 0 {
				return from + tag[0] + at
			}
		}
	}
	// What is not closed is the last thing that was opened.
	if strings.Contains(e.Message, "not closed") {
		return from + tags[len(tags)-1][0]
	}
	return from + tags[0][0]
}

// wordIn returns the index of a word in a text, preferably one that is not part of a longer word;
// -1 where it does not occur. In "total_net > total" the word total is at 12.
func wordIn(text, word string) int {
	// part reports whether the byte at i would make the word a part of a longer one.
	part := func(i int) bool {
		return i >= 0 && i < len(text) && (text[i] == '_' || text[i] == '.' || text[i] >= '0' && text[i] <= '9' ||
			text[i] >= 'A' && text[i] <= 'Z' || text[i] >= 'a' && text[i] <= 'z')
	}
	for from := 0; ; {
		at := strings.Index(text[from:], word)
		if at < 0 {
			return strings.Index(text, word)
		}
		if at += from; !part(at-1) && !part(at+len(word)) {
			return at
		}
		from = at + 1
	}
}
