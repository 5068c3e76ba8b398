package erasure

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/nudge-engine/nudge/storage"
)

// Receipt says how far the erasure of one customer is, store by store. Each time says when a
// step was done, in UTC; it is nil before. Its JSON is what the admin address answers.
type Receipt struct {
	// Hash is the keyed hash of the customer's id, in hexadecimal: all that stays of the
	// customer.
	Hash      string    `json:"hash"`
	Requested time.Time `json:"requested"`
	// Unknown is true when the state had no such customer at the request. It is carried out all
	// the same: rows may be there of one who was forgotten, and later events are dropped.
	Unknown bool `json:"unknown,omitempty"`
	// Recorded is when the shard had applied the erasure: from then on nothing is sent, and
	// further events of the customer are dropped.
	Recorded *time.Time `json:"recorded,omitempty"`
	// StateRemoved is when the state was taken out of the store. Its older checkpoints are
	// gone by StateCopiesGoneBy.
	StateRemoved      *time.Time `json:"state_removed,omitempty"`
	StateCopiesGoneBy *time.Time `json:"state_copies_gone_by,omitempty"`
	// RowsDeleted is when the rows were deleted from ClickHouse.
	RowsDeleted *time.Time `json:"rows_deleted,omitempty"`
	// LogGoneBy is when the retention of the log has removed the last record.
	LogGoneBy *time.Time `json:"log_gone_by,omitempty"`
	Done      bool       `json:"done"`
	// Failure says why the last attempt did not succeed; it is tried again. Empty: it did.
	Failure string `json:"failure,omitempty"`
}

// job is an erasure as it is stored, as JSON in the state under "erase/" and its hash. The
// tags are stored bytes and do not change.
type job struct {
	Receipt

	// The customer, until the erasure is done; then all three fields are empty. Customers
	// begins with the one asked for; the anonymous ones who merged into them follow. Places
	// says where the log has their last records, and what those led to.
	Workspace string     `json:"workspace,omitempty"`
	Customers []string   `json:"customers,omitempty"`
	Places    []position `json:"places,omitempty"`
}

// position says how far a partition must be processed: through frame Seq and effect message
// Effect.
type position struct {
	Partition int    `json:"partition"`
	Seq       uint64 `json:"seq"`
	Effect    uint64 `json:"effect"`
}

// prefix begins the keys of all jobs; the hash follows.
const prefix = "erase/"

// jobKey returns the key under which the store keeps the job of a hash.
func jobKey(hash string) []byte { return storage.SinkKey(prefix + hash) }

// decodeJob reads a stored job. An error means that the state is damaged.
func decodeJob(value []byte) (*job, error) {
	j := new(job)
	if err := json.Unmarshal(value, j); err != nil {
		return nil, fmt.Errorf("erasure: %w", err)
	}
	return j, nil
}

// save stores a job durably, in place of what was stored of it.
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

// loadOpen reads the jobs that are not done into e.open, in the order of their hashes: when
// they were asked for is not part of the key.
func (e *Eraser) loadOpen() error {
	return e.config.Store.Scan(storage.SinkKey(prefix), func(_, value []byte) error {
		j, err := decodeJob(value)
		if err == nil && !j.Done {
			e.open = append(e.open, j)
		}
		return err
	})
}
