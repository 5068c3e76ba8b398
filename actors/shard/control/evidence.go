package control

import (
	"fmt"
	"strings"

	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/internal/clip"
	"github.com/nudge-engine/nudge/internal/effect"
)

// ExperimentStats are the figures on which an experiment was decided or blocked. They are
// stored in the record and shown to people; no shard computes with them.
type ExperimentStats struct {
	Experiment uint64        `json:"experiment,omitempty"` // fingerprint of the experiment (program.Experiment.Print)
	Reason     output.Reason `json:"reason,omitempty"`     // confidence, deadline, or mismatch of the shares
	Hour       int64         `json:"hour,omitempty"`       // hours since 1970 UTC, full, of the look
	Look       int           `json:"look,omitempty"`       // number of the look, from 1; the deadline's does not count
	Needed     float64       `json:"needed,omitempty"`     // the best variant's probability had to reach it
	Mismatch   float64       `json:"mismatch,omitempty"`   // probability of such shares under the weights
	Arms       []ArmFigures  `json:"arms,omitempty"`       // in the order of the definition
}

// ArmFigures are the figures of one variant.
type ArmFigures struct {
	Variant     string  `json:"variant"`
	Weight      int     `json:"weight"`      // share of the chains, relative to the other weights
	Exposures   int     `json:"exposures"`   // matured: the goal window has closed
	Conversions int     `json:"conversions"` // of those
	Best        float64 `json:"best"`        // probability that no other has a higher rate; set once decided
}

// Detail returns the figures as one line of at most effect.MaxDetail bytes; variant is
// the winner, "" for a block.
func (e *ExperimentStats) Detail(variant string) string {
	var b strings.Builder
	b.WriteString(variant)
	for i, a := range e.Arms {
		if b.Len() > 0 && i == 0 {
			b.WriteString(": ")
		} else if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s %d/%d best %.4f", a.Variant, a.Conversions, a.Exposures, a.Best)
	}
	if e.Needed > 0 {
		fmt.Fprintf(&b, "; look %d, needs %.4f", e.Look, e.Needed)
	}
	if len(e.Arms) > 0 {
		fmt.Fprintf(&b, "; shares %.4f", e.Mismatch)
	}
	return clip.Text(b.String(), effect.MaxDetail)
}
