package control

import (
	"fmt"
	"strings"

	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/internal/clip"
	"github.com/nudge-engine/nudge/internal/effect"
)

// ExperimentStats is what a decision rests on.
type ExperimentStats struct {
	Experiment uint64        `json:"experiment,omitempty"` // Experiment.Print
	Reason     output.Reason `json:"reason,omitempty"`
	Hour       int64         `json:"hour,omitempty"` // full UTC hour since 1970 that was looked at
	Look       int           `json:"look,omitempty"` // 1 for the first; that of the deadline does not count
	Needed     float64       `json:"needed,omitempty"`
	Mismatch   float64       `json:"mismatch,omitempty"` // the probability of the shares under the weights
	Arms       []ArmFigures  `json:"arms,omitempty"`     // in the order of the definition
}

// ArmFigures are those of one variant.
type ArmFigures struct {
	Variant     string  `json:"variant"`
	Weight      int     `json:"weight"`
	Exposures   int     `json:"exposures"` // matured
	Conversions int     `json:"conversions"`
	Best        float64 `json:"best"` // the probability that no other has a higher rate
}

// Detail says it in one line.
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
