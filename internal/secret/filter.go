package secret

import (
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
)

// minFiltered is the shortest text that is looked for: a shorter one is part of any word.
const minFiltered = 5

// Filter takes secrets out of texts that others made, such as the errors of drivers and
// parsers, which like to repeat what they were given.
type Filter struct{ replacer *strings.Replacer }

// NewFilter knows the secrets of some settings.
func NewFilter(texts []Text, urls []URL) Filter {
	var all []string
	for _, t := range texts {
		all = append(all, string(t))
	}
	for _, u := range urls {
		all = append(all, u.parts()...)
	}
	for _, s := range slices.Clone(all) { // as %q prints it, and that once more
		quoted := strings.Trim(strconv.Quote(s), `"`)
		all = append(all, quoted, strings.Trim(strconv.Quote(quoted), `"`))
	}
	// The longest first: one may be in another.
	slices.SortFunc(all, func(a, b string) int { return len(b) - len(a) })
	var pairs []string
	for _, s := range slices.Compact(all) {
		if len(s) >= minFiltered {
			pairs = append(pairs, s, hidden)
		}
	}
	return Filter{strings.NewReplacer(pairs...)}
}

// Text is the text without the secrets.
func (f Filter) Text(text string) string { return f.replacer.Replace(text) }

// Error is the error with another text, nil for nil. errors.Is and errors.As find what they
// found before.
func (f Filter) Error(err error) error {
	if err == nil || f.Text(err.Error()) == err.Error() {
		return err
	}
	return filtered{err, f.Text(err.Error())}
}

// filtered has no Unwrap, so that nobody prints the error inside.
type filtered struct {
	err  error
	text string
}

func (f filtered) Error() string        { return f.text }
func (f filtered) Is(target error) bool { return errors.Is(f.err, target) }
func (f filtered) As(target any) bool   { return errors.As(f.err, target) }

// Writer is out, with each Write filtered. A secret that is cut in two by the writes is not
// found; what writes lines writes each at once.
func (f Filter) Writer(out io.Writer) io.Writer { return writer{f, out} }

type writer struct {
	filter Filter
	out    io.Writer
}

func (w writer) Write(b []byte) (int, error) {
	if _, err := io.WriteString(w.out, w.filter.Text(string(b))); err != nil {
		return 0, err
	}
	return len(b), nil
}
