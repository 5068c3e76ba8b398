package admin

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/nudge-engine/nudge/campaign/nearest"
	"github.com/nudge-engine/nudge/internal/definition"
)

// rollback answers POST /v1/rollback. It takes {"kind", "name", "version", "dry_run"} and puts
// an older version in force again, as a new version with its text; version 0 means the one
// before that in force. It is an apply in all else: the old text is checked against what is in
// force now, and may be refused.
//
// The answer is {"applied": [...], "from": VERSION}, or with dry_run that of a dry run. 404
// means that there is no such document or version, 409 that a backfill is under way.
func (p *Parts) rollback(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		Kind    string `json:"kind"`
		Name    string `json:"name"`
		Version uint32 `json:"version"`
		DryRun  bool   `json:"dry_run"`
	}
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	d.DisallowUnknownFields()
	if err := d.Decode(&body); err != nil {
		return answer{
			http.StatusBadRequest,
			fmt.Errorf("the body is not {\"kind\", \"name\", \"version\", \"dry_run\"}: %w", err),
		}
	}
	current, ok := p.Control.Current(p.Workspace, body.Kind, body.Name)
	if !ok {
		return answer{http.StatusNotFound, fmt.Errorf("there is no %s %q%s", body.Kind, body.Name,
			nearest.Hint(body.Name, p.names(body.Kind)))}
	}
	if body.Version == 0 && current.Version == 1 {
		return answer{http.StatusNotFound, fmt.Errorf("%s %s has only version 1: there is no earlier one to go back to",
			body.Kind, body.Name)}
	}
	if body.Version == 0 {
		body.Version = current.Version - 1
	}
	old, ok := p.Control.Version(p.Workspace, body.Kind, body.Name, body.Version)
	if !ok {
		return answer{http.StatusNotFound, fmt.Errorf("%s %s has the versions 1 to %d, not %d", body.Kind,
			body.Name, current.Version, body.Version)}
	}
	// The old text goes the way of a file, checks and all.
	files := []definition.File{{
		Name: fmt.Sprintf("%s %s version %d", body.Kind, body.Name, body.Version), Text: []byte(old.Source),
	}}
	if body.DryRun {
		return p.preview(w, r, files)
	}
	applied, err := p.Deployer.Submit(r.Context(), files)
	if err != nil {
		return conflict(err)
	}
	writeJSON(w, http.StatusOK, map[string]any{"applied": applied, "from": body.Version})
	return nil
}
