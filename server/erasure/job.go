package erasure

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/nudge-engine/nudge/storage"
)

// Receipt is how far the erasure of one customer is, store by store. Times are when it was
// done; before, they are missing.
type Receipt struct {
	Hash      string     `json:"hash"` // keyed; what stays of the customer
	Requested time.Time  `json:"requested"`
	Recorded  *time.Time `json:"recorded,omitempty"` // from then on nothing is sent and events are dropped
	// StateRemoved is when the state was taken out of the store, and its older checkpoints
	// are gone by StateCopiesGoneBy.
	StateRemoved      *time.Time `json:"state_removed,omitempty"`
	StateCopiesGoneBy *time.Time `json:"state_copies_gone_by,omitempty"`
	RowsDeleted       *time.Time `json:"rows_deleted,omitempty"` // from ClickHouse
	LogGoneBy         *time.Time `json:"log_gone_by,omitempty"`  // by the retention of the log
	Done              bool       `json:"done"`
	Failure           string     `json:"failure,omitempty"` // why the last try did not succeed; it is tried again
}

// job is an erasure as it is stored, so that it goes on after a restart.
type job struct {
	Receipt

	// Who it is about, until it is done; then all three are empty.
	Workspace string     `json:"workspace,omitempty"`
	Customers []string   `json:"customers,omitempty"` // and the anonymous ones who merged into them
	Places    []position `json:"places,omitempty"`    // where the log has the records, and what they led to
}

// position is how far a partition must be.
type position struct {
	Partition int    `json:"partition"`
	Seq       uint64 `json:"seq"`
	Effect    uint64 `json:"effect"`
}

// prefix is that of all jobs; the hash follows.
const prefix = "erase/"

func jobKey(hash string) []byte { return storage.SinkKey(prefix + hash) }

func decodeJob(value []byte) (*job, error) {
	j := new(job)
	if err := json.Unmarshal(value, j); err != nil {
		return nil, fmt.Errorf("erasure: %w", err)
	}
	return j, nil
}

func (e *Eraser) save(j *job) error {
	text, err := json.Marshal(j)
	if err != nil {
		return fmt.Errorf("erasure: %w", err)
	}
	b := new(storage.Batch)
	b.Set(jobKey(j.Hash), text)
	return e.config.Store.Commit(b)
}

// load reads the job of a hash; nil when there is none.
func (e *Eraser) load(hash string) (*job, error) {
	value, err := e.config.Store.Get(jobKey(hash))
	if err != nil || value == nil {
		return nil, err
	}
	return decodeJob(value)
}

// loadOpen finds the jobs that are not done, in the order of their hashes.
func (e *Eraser) loadOpen() error {
	return e.config.Store.Scan(storage.SinkKey(prefix), func(_, value []byte) error {
		j, err := decodeJob(value)
		if err == nil && !j.Done {
			e.open = append(e.open, j)
		}
		return err
	})
}
