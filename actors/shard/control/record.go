package control

import (
	"encoding/json"
	"fmt"

	"github.com/nudge-engine/nudge/campaign/active"
	"github.com/nudge-engine/nudge/campaign/program"
)

// Record is a control record: message K of the stream CTL, copied into every partition.
// Exactly one of the pointers is set.
type Record struct {
	K       uint64   `json:"k"` // number, from 1; a shard applies only the one after its last
	Genesis *Genesis `json:"genesis,omitempty"`
	Apply   *Apply   `json:"apply,omitempty"`
	Skip    *Skip    `json:"skip,omitempty"`
	Decide  *Decide  `json:"decide,omitempty"`

	Backfill *Backfill `json:"backfill,omitempty"`
}

// Genesis is control record 1: what is fixed when a log is created.
type Genesis struct {
	LogID      string `json:"log_id"`     // random; part of the tokens of warehouse inserts
	Partitions int    `json:"partitions"` // number of partitions, fixed for the life of the log
	Semantics  int    `json:"semantics"`  // of the program that created the log
	DedupeIDs  int    `json:"dedupe_ids"` // how many event ids a partition remembers at most
}

// Apply puts documents in force, each replacing that of its kind and name.
type Apply struct {
	Workspace string             `json:"workspace"`
	Documents []program.Document `json:"documents"`
	// Backfilled is the number of the backfill that this record ends: with its documents
	// when the counters are filled, without any when it is given up. 0: it ends none.
	Backfilled uint64 `json:"backfilled,omitempty"`
}

// Decide declares the winner of an experiment, which chains that come to it take from now
// on. Without a variant it says that the experiment is blocked: the shares of its
// variants cannot be explained by chance.
type Decide struct {
	Workspace string `json:"workspace"`
	active.Winner
	ExperimentStats
}

// Encode returns the stored form, JSON.
func (c *Record) Encode() []byte {
	b, err := json.Marshal(c)
	if err != nil {
		panic(fmt.Sprintf("BUG: a control record cannot be written: %v", err))
	}
	return b
}

// Decode decodes what Encode returned, and checks that exactly one kind is set and the
// number is not 0.
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

// Claim is the record with which an owner takes a partition over. An owner that finds the
// claim of another node with a larger epoch halts.
type Claim struct {
	Node  string `json:"node"`
	Epoch uint64 `json:"epoch"` // of the lease; grows with each new owner
}

// Backfill is the control record that begins to fill counters from the retained log. Its
// documents wait until an Apply with its number puts them in force.
type Backfill struct {
	Workspace string             `json:"workspace"`
	Documents []program.Document `json:"documents"`
	// Asks are the counters that are filled. Others that the documents need count from
	// this record on.
	Asks []active.CounterRequest `json:"asks"`
}
