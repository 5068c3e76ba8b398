package control

import (
	"encoding/json"
	"fmt"

	"github.com/nudge-engine/nudge/campaign/active"
	"github.com/nudge-engine/nudge/campaign/program"
)

// Record is a control record: record K of the stream CTL, copied into every
// partition (R12). Exactly one of the pointers is set.
type Record struct {
	K       uint64   `json:"k"`
	Genesis *Genesis `json:"genesis,omitempty"`
	Apply   *Apply   `json:"apply,omitempty"`
	Skip    *Skip    `json:"skip,omitempty"`
	Decide  *Decide  `json:"decide,omitempty"`

	Backfill *Backfill `json:"backfill,omitempty"`
}

// Genesis is control record 1: what is fixed when a log is created.
type Genesis struct {
	LogID      string `json:"log_id"`     // random, names this log
	Partitions int    `json:"partitions"` // for life (R3)
	Semantics  int    `json:"semantics"`
	DedupeIDs  int    `json:"dedupe_ids"` // a partition's dedupe set holds at most so many
}

// Apply puts documents in force, replacing those of the same kind and name.
type Apply struct {
	Workspace string             `json:"workspace"`
	Documents []program.Document `json:"documents"`
	// Backfilled is the control record of the backfill that this ends: with its documents
	// when the counters are filled, without any when it is given up. 0: none.
	Backfilled uint64 `json:"backfilled,omitempty"`
}

// Decide declares the winner of an experiment: chains that come to it take the variant.
// Without a variant it says that the experiment is blocked.
type Decide struct {
	Workspace string `json:"workspace"`
	active.Winner
	ExperimentStats
}

// Encode is the stored form of a control record.
func (c *Record) Encode() []byte {
	b, err := json.Marshal(c)
	if err != nil {
		panic(fmt.Sprintf("BUG: a control record cannot be written: %v", err))
	}
	return b
}

// Decode reads what Encode wrote.
func Decode(p []byte) (Record, error) {
	var c Record
	if err := json.Unmarshal(p, &c); err != nil {
		return Record{}, fmt.Errorf("actors: control record: %w", err)
	}
	kinds := 0
	for _, set := range []bool{c.Genesis != nil, c.Apply != nil, c.Skip != nil, c.Decide != nil, c.Backfill != nil} {
		if set {
			kinds++
		}
	}
	if kinds != 1 || c.K == 0 {
		return Record{}, fmt.Errorf("actors: control record %d is not one of genesis, apply, skip, decide and "+
			"backfill", c.K)
	}
	return c, nil
}

// Claim is the record with which an owner takes a partition over.
type Claim struct {
	Node  string `json:"node"`
	Epoch uint64 `json:"epoch"`
}

// Backfill is the control record that has counters filled from the retained log. The
// documents wait; an Apply with its number puts them in force.
type Backfill struct {
	Workspace string             `json:"workspace"`
	Documents []program.Document `json:"documents"`
	// Asks are the counters that are filled; the others that the documents ask for count
	// from this record on.
	Asks []active.CounterRequest `json:"asks"`
}
