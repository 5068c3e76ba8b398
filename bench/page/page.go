package page

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
)

//go:embed page.html
var layout string

// Page is a whole report.
type Page struct {
	Title  string
	About  []string // what was run, where
	Rows   []Row
	Charts []Chart
	// Compared says that the rows have values of an earlier run.
	Compared bool
}

// Row is one figure.
type Row struct {
	Scenario, Name string
	Value          string
	Limit, Share   string // of its limit; empty where it has none
	Before, Change string // of an earlier run
	Worse          bool   // than in the earlier run by more than the noise
}

// Write writes the page.
func (p *Page) Write(w io.Writer) error {
	t, err := template.New("page").Parse(layout)
	if err == nil {
		err = t.Execute(w, p)
	}
	if err != nil {
		return fmt.Errorf("bench: page: %w", err)
	}
	return nil
}
