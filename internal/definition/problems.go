package definition

import (
	"errors"
	"slices"

	"github.com/nudge-engine/nudge/campaign/parse"
)

// problems collects the errors of files. In the end those of each file are together, in the
// order of their places.
type problems struct {
	files  []string
	byFile map[string]parse.Errors
	// others are the errors that belong to no file.
	others []error
}

// add adds errors about places in files.
func (p *problems) add(errs ...*parse.Error) {
	for _, e := range errs {
		if p.byFile == nil {
			p.byFile = map[string]parse.Errors{}
		}
		// Few files have errors, so a search through the list is fast enough.
		if !slices.Contains(p.files, e.File) {
			p.files = append(p.files, e.File)
		}
		p.byFile[e.File] = append(p.byFile[e.File], e)
	}
}

// addError adds what parse.File returned: a list of errors at places, or another error, such as one
// about its encoding.
func (p *problems) addError(err error) {
	var all parse.Errors
	if errors.As(err, &all) {
		p.add(all...)
		return
	}
	p.others = append(p.others, err)
}

// err returns all errors joined; nil where there are none. order is the order of the files,
// in which their errors are given; those of no file come last.
func (p *problems) err(order []File) error {
	var all []error
	done := map[string]bool{}
	for _, f := range order {
		if errs := p.byFile[f.Name]; len(errs) > 0 && !done[f.Name] {
			all = append(all, errs.Sorted())
			done[f.Name] = true
		}
	}
	return errors.Join(append(all, p.others...)...)
}
