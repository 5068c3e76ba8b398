package admin

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/nudge-engine/nudge/actors"
	"github.com/nudge-engine/nudge/internal/definition"
)

// listed is one document in force as GET /v1/definitions shows it; Source is its text.
type listed struct {
	Kind    string `json:"kind"`
	Name    string `json:"name"`
	Version uint32 `json:"version"`
	Source  string `json:"source"`
}

// definitions answers GET /v1/definitions: all documents in force, by kind and name.
func (p *Parts) definitions(w http.ResponseWriter, _ *http.Request) error {
	all := []listed{}
	for _, d := range p.Control.Documents(p.Workspace) {
		all = append(all, listed{d.Kind, d.Name, d.Version, d.Source})
	}
	slices.SortFunc(all, func(a, b listed) int {
		return strings.Compare(a.Kind+"/"+a.Name, b.Kind+"/"+b.Name)
	})
	writeJSON(w, http.StatusOK, all)
	return nil
}

// apply answers POST /v1/definitions. It takes files as {"files": [{"name": ..., "text":
// ...}]} and puts them in force, all or none. With ?dry_run=true it only says what would
// happen; with ?backfill=true the new counters are filled first.
//
// The answer is {"applied": [...], "counters": [...], "from_now": [...]}: the documents with
// their versions, all counters, and those that begin now. 422 means that the files are wrong,
// with all errors in the detail; 409 that a backfill is under way.
func (p *Parts) apply(w http.ResponseWriter, r *http.Request) error {
	files, err := readFiles(w, r)
	if err != nil {
		return err
	}
	if r.URL.Query().Get("dry_run") == "true" {
		return p.preview(w, r, files)
	}
	if r.URL.Query().Get("backfill") == "true" {
		return p.backfill(w, r, files)
	}
	// What begins to be counted is the difference of before and after.
	before, err := p.Catalog.Counters()
	if err != nil {
		return err
	}
	applied, err := p.Deployer.Submit(r.Context(), files)
	if err != nil {
		return conflict(err)
	}
	set, err := p.Catalog.Counters()
	if err != nil {
		return err
	}
	begun := []string{}
	for _, a := range set.NewAsks(before) {
		begun = append(begun, a.String())
	}
	writeJSON(
		w,
		http.StatusOK,
		map[string]any{"applied": applied, "counters": set.DescribeCounters(), "from_now": begun},
	)
	return nil
}

// conflict makes the error of an apply that has to wait for a backfill an answer 409. Other
// errors are returned as they are.
func conflict(err error) error {
	if errors.Is(err, actors.ErrBackfill) {
		return answer{http.StatusConflict, err}
	}
	return err
}

// readFiles reads the definition files of a request. An error is an answer 400.
func readFiles(w http.ResponseWriter, r *http.Request) ([]definition.File, error) {
	var body struct {
		Files []struct {
			Name string `json:"name"`
			Text string `json:"text"`
		} `json:"files"`
	}
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	// A misspelt field would otherwise be an empty request.
	d.DisallowUnknownFields()
	if err := d.Decode(&body); err != nil {
		return nil, answer{
			http.StatusBadRequest,
			fmt.Errorf("the body is not {\"files\": [{\"name\", \"text\"}]}: %w", err),
		}
	}
	var files []definition.File
	for _, f := range body.Files {
		files = append(files, definition.File{Name: f.Name, Text: []byte(f.Text)})
	}
	return files, nil
}

// preview answers what applying the files would do, and does nothing.
func (p *Parts) preview(w http.ResponseWriter, r *http.Request, files []definition.File) error {
	preview, err := p.Deployer.Preview(r.Context(), files)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, preview)
	return nil
}

// backfill answers ?backfill=true with actors.BackfillStart in JSON: it begins a backfill with
// definition files, which are in force when it is done; GET /v1/backfill tells when. When
// nothing can be filled they are in force at once, so their channels are started here.
func (p *Parts) backfill(w http.ResponseWriter, r *http.Request, files []definition.File) error {
	begun, err := p.Deployer.StartBackfill(r.Context(), files)
	if err != nil {
		return conflict(err)
	}
	writeJSON(w, http.StatusOK, begun)
	return p.Deployer.EnsureChannels(r.Context())
}

// backfillProgress answers GET /v1/backfill: how the last backfill stands, as
// actors.BackfillProgress in JSON. Its record is 0 when there never was one.
func (p *Parts) backfillProgress(w http.ResponseWriter, r *http.Request) error {
	progress, err := p.Control.Backfill(r.Context())
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, progress)
	return nil
}
