package secret

import (
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
)

// minFiltered is the length in bytes below which a secret is not searched for: it would be
// found in ordinary words.
const minFiltered = 5

// Filter removes secrets from texts that others made, such as the errors of drivers and
// parsers, which often repeat what they were given. It is immutable and safe for concurrent
// use. The zero value must not be used.
type Filter struct{ replacer *strings.Replacer }

// NewFilter returns a filter for the secrets in some settings.
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

// Text returns the text with (set) in place of each secret.
func (f Filter) Text(text string) string { return f.replacer.Replace(text) }

// Error returns an error with the filtered text; nil for nil. errors.Is and errors.As work
// on it as on err.
func (f Filter) Error(err error) error {
	if err == nil || f.Text(err.Error()) == err.Error() {
		return err
	}
	return filtered{err, f.Text(err.Error())}
}

// filtered is an error with another text. It has no Unwrap method, so that no one prints
// the error inside.
type filtered struct {
	err  error
	text string
}

func (f filtered) Error() string        { return f.text }
func (f filtered) Is(target error) bool { return errors.Is(f.err, target) }
func (f filtered) As(target any) bool   { return errors.As(f.err, target) }

// Writer returns out with each Write filtered. A secret that two writes cut in half is not
// found; loggers write each line at once.
func (f Filter) Writer(out io.Writer) io.Writer { return writer{f, out} }

// writer filters what is written to out.
type writer struct {
	filter Filter
	out    io.Writer
}

func (w writer) Write(b []byte) (int, error) {
	if _, err := io.WriteString(w.out, w.filter.Text(string(b))); err != nil {
		return 0, err
	}
	// The length of the input, as io.Writer requires, and not that of the filtered text.
	return len(b), nil
}
