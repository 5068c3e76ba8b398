package definition

import (
	"errors"
	"slices"

	"github.com/nudge-engine/nudge/campaign/parse"
)

// problems gathers the errors of files: at the end those of each file stand together, in
// the order of their places, each once.
type problems struct {
	files  []string
	byFile map[string]parse.Errors
	others []error // of no file
}

func (p *problems) add(errs ...*parse.Error) {
	for _, e := range errs {
		if p.byFile == nil {
			p.byFile = map[string]parse.Errors{}
		}
		if !slices.Contains(p.files, e.File) {
			p.files = append(p.files, e.File)
		}
		p.byFile[e.File] = append(p.byFile[e.File], e)
	}
}

// addError takes what parse.File returned.
func (p *problems) addError(err error) {
	var all parse.Errors
	if errors.As(err, &all) {
		p.add(all...)
		return
	}
	p.others = append(p.others, err)
}

// err joins all errors; nil without any. order is the order of the files.
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
