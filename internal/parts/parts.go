// Package parts makes the parts of a data directory that belong together name each other
// (ADR 17): the log and its streams, the state, node.json with the erase key, and the
// directory of the embedded ClickHouse.
//
// A part that is missing, or that comes from another directory, would otherwise be made
// anew silently: campaigns would be gone, rows written twice, and erased customers stored
// again. With the register the server refuses to start instead, and says which part is
// missing and what can be done.
//
// parts.go has the register and its checks, adopt.go how it begins and how a loss is
// accepted, rows.go the mark of the ClickHouse directory.
package parts

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nudge-engine/nudge/storage"
	"github.com/nudge-engine/nudge/stream"
)

// ErrLost is wrapped by every error about a part that is missing or belongs to another
// directory.
var ErrLost = errors.New("what belongs together is not complete")

// format is the version of the stored form of the register.
const format = 1

// record is the register in its stored form.
type record struct {
	Format int `json:"format"`
	// Log is the id in the log's first record; empty until all parts are there.
	Log string `json:"log,omitempty"`
	// Node is the id in node.json.
	Node string `json:"node,omitempty"`
	// EraseKey is the fingerprint of the erase key.
	EraseKey string `json:"erase_key,omitempty"`
	// Rows is the id of the embedded ClickHouse's directory; empty where there is none yet.
	Rows string `json:"rows,omitempty"`
	// Streams maps each stream to when it was made, in ns since 1970. That tells it from
	// another one of its name.
	Streams map[string]int64 `json:"streams"`
}

// Look tells when a stream was made. It must not create the stream; found is false, without
// an error, where there is none.
type Look interface {
	Created(ctx context.Context, name string) (at time.Time, found bool, err error)
}

// Register knows the parts of a data directory. It is a stream.Log that opens only streams
// that are the known ones, and remembers those that are new. It is safe for concurrent use.
type Register struct {
	stream.Log
	look  Look
	store storage.Store

	mu sync.Mutex
	// record is guarded by mu. It is written to the store at each change.
	record record
}

// Open reads the register that the store keeps; an empty one where there is none. It fails
// with ErrLost where a newer program wrote it.
func Open(log stream.Log, look Look, store storage.Store) (*Register, error) {
	r := &Register{Log: log, look: look, store: store, record: record{Format: format, Streams: map[string]int64{}}}
	stored, err := store.Get(storage.PartsKey())
	if err != nil || stored == nil {
		return r, err
	}
	if err := json.Unmarshal(stored, &r.record); err != nil || r.record.Format != format || r.record.Streams == nil {
		return nil, fmt.Errorf("the register of parts in the state has format %d; this program reads format %d: %w",
			r.record.Format, format, errors.Join(err, ErrLost))
	}
	return r, nil
}

// save writes the register to the store. mu must be held.
func (r *Register) save() error {
	text, err := json.Marshal(r.record)
	if err != nil {
		return err
	}
	b := new(storage.Batch)
	b.Set(storage.PartsKey(), text)
	return r.store.Commit(b)
}

// Open opens a stream, as stream.Log says, and registers it where it is new. It fails with
// ErrLost where a known stream is missing, because opening would create an empty one in its
// place.
func (r *Register) Open(ctx context.Context, name string, o stream.Options) (stream.Stream, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	// Opening would create a stream that is missing, so it is checked first.
	loss, err := r.stream(ctx, name)
	if err != nil {
		return nil, err
	}
	if loss != nil {
		return nil, loss.err()
	}
	s, err := r.Log.Open(ctx, name, o)
	if err != nil {
		return nil, err
	}
	if _, known := r.record.Streams[name]; known {
		return s, nil
	}
	at, found, err := r.look.Created(ctx, name)
	if err != nil || !found {
		return nil, errors.Join(err, fmt.Errorf("%s was opened and is not there: %v", name, !found))
	}
	r.record.Streams[name] = at.UnixNano()
	return s, r.save()
}

// Given is what the other parts say about themselves.
type Given struct {
	// Node is the id in node.json.
	Node string
	// NodeLog is the log that node.json names; empty where it names none yet.
	NodeLog string
	// EraseKey is the fingerprint of the erase key.
	EraseKey string
	Rows     Rows
}

// Rows is the state of the embedded ClickHouse's directory.
type Rows struct {
	// Embedded is false where rows go to an external server; the directory is then not
	// checked.
	Embedded bool
	// ID is the id with which the directory was marked; empty where it was not.
	ID string
	// Empty is true where the directory had nothing in it when the server started.
	Empty bool
}

// loss is a part that is missing or belongs to another directory, what that means, and the
// way out.
type loss struct {
	part, what, wayOut string
	// stream is true where part is the name of a stream.
	stream bool
}

// err returns the loss as an error for the operator.
func (l loss) err() error { return fmt.Errorf("%w: %s: %s. %s", ErrLost, l.part, l.what, l.wayOut) }

// What a message about a lost part says can be done (loss.wayOut), as phrases to be joined.
const (
	fromBackup = "Put it back from a backup"
	accept     = "; or, when there is none, accept the loss with `nudge recover --data DIR --yes`"
)

// Check returns one error that names every part which is missing or belongs to another
// directory; nil where all belong together. It changes nothing.
func (r *Register) Check(ctx context.Context, g Given) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	losses, err := r.losses(ctx, g)
	if err != nil {
		return err
	}
	var errs []error
	for _, l := range losses {
		errs = append(errs, l.err())
	}
	return errors.Join(errs...)
}

// losses compares the parts with the register, one after the other: state, node.json, erase
// key, streams, rows. mu must be held.
func (r *Register) losses(ctx context.Context, g Given) ([]loss, error) {
	var all []loss
	add := func(wrong bool, l loss) {
		if wrong {
			all = append(all, l)
		}
	}
	is := r.record
	add(is.Log == "" && g.NodeLog != "", loss{
		part: "state/",
		what: "the state of the customers is missing, or without its register; node.json names the log " +
			g.NodeLog,
		wayOut: fromBackup + accept + ": the state is then computed from what the log still has",
	})
	add(is.Log != "" && g.NodeLog != "" && g.NodeLog != is.Log, loss{
		part: "node.json", what: "it is of the log " + g.NodeLog + ", the state is of the log " + is.Log,
		wayOut: "Put the right one back",
	})
	switch {
	case is.Node != "" && g.Node != is.Node:
		add(true, loss{
			part: "node.json",
			what: "it is missing or of another directory: it has not the keys that were in force here",
			wayOut: fromBackup + accept + ": keys are then made anew, and who was erased before is not known as " +
				"erased any more",
		})
	case is.EraseKey != "" && g.EraseKey != is.EraseKey:
		add(true, loss{
			part:   "erase_key",
			what:   "it is not the one of this directory: customers who were erased before would be stored again",
			wayOut: "Set NUDGE_ERASE_KEY, or node.json, to what it was" + accept,
		})
	}
	streams, err := r.streams(ctx)
	if err != nil {
		return nil, err
	}
	all = append(all, streams...)
	gone, err := r.rowsGone(ctx, g.Rows)
	add(gone, loss{
		part: "clickhouse/", what: "the rows are missing or of another server", wayOut: fromBackup + accept +
			": rows are then written from where the writer is on, older ones stay lost",
	})
	return all, err
}

// rowsGone reports whether the embedded ClickHouse lacks the rows that were written.
func (r *Register) rowsGone(ctx context.Context, rows Rows) (bool, error) {
	if !rows.Embedded {
		return false, nil
	}
	// The directory is marked: it must have the mark that the register knows.
	if r.record.Rows != "" {
		return rows.ID != r.record.Rows, nil
	}
	if !rows.Empty { // it was not marked yet, or its rows were elsewhere until now
		return false, nil
	}
	// A directory from before there were marks.
	if r.record.Log != "" {
		return false, nil
	}
	return r.holds(ctx, stream.WarehouseStream)
}

// holds reports whether a stream exists and has ever had a message.
func (r *Register) holds(ctx context.Context, name string) (bool, error) {
	_, found, err := r.look.Created(ctx, name)
	if err != nil || !found {
		return false, err
	}
	s, err := r.Log.Open(ctx, name, stream.Options{MaxBytes: 1 << 20}) // it is there: the options are not used
	if err != nil {
		return false, err
	}
	info, err := s.Info(ctx)
	return info.Last > 0, err
}

// meaning returns what would happen if a stream were lost and made anew, and the way out.
func meaning(name string) loss {
	l := loss{part: name, stream: true, wayOut: fromBackup + accept}
	switch {
	case name == stream.ControlStream:
		l.what = "the stream of campaigns, versions and limits"
		l.wayOut = fromBackup + " (the whole of log/ and state/ of one instant); without one, move the data " +
			"directory away and begin anew"
	case name == stream.WarehouseStream:
		l.what = "the stream of how far rows were written"
		l.wayOut += ": rows of what the log still has are then written twice"
	case strings.HasPrefix(name, stream.SendStream("")):
		l.what = "the stream of messages that wait to be sent"
		l.wayOut += ": what waited in it is then not sent, what comes is"
	default: // of events or of effects
		l.what = "a part of the log"
		l.wayOut += ": it says first, without --yes, what is lost"
	}
	return l
}

// streams returns the streams that are missing or are others than the known ones. mu must
// be held.
func (r *Register) streams(ctx context.Context) ([]loss, error) {
	known := maps.Clone(r.record.Streams)
	if r.record.Log == "" { // from before there were marks, or not complete yet
		used, err := r.used(ctx)
		if err != nil {
			return nil, err
		}
		for _, name := range used {
			if _, is := known[name]; !is {
				known[name] = 0
			}
		}
	}
	var all []loss
	for _, name := range slices.Sorted(maps.Keys(known)) {
		l, err := r.stream(ctx, name)
		if err != nil {
			return nil, err
		}
		// A stream whose date is not known is only checked for being there.
		if l == nil && known[name] == 0 {
			if _, found, err := r.look.Created(ctx, name); err != nil {
				return nil, err
			} else if !found {
				m := meaning(name)
				m.what += " is missing"
				l = &m
			}
		}
		if l != nil {
			all = append(all, *l)
		}
	}
	return all, nil
}

// stream returns the loss of a stream that is missing or another one than before; nil where
// it is the known one, or not known. mu must be held.
func (r *Register) stream(ctx context.Context, name string) (*loss, error) {
	made, known := r.record.Streams[name]
	if !known {
		return nil, nil //nolint:nilnil // no loss, no error
	}
	at, found, err := r.look.Created(ctx, name)
	if err != nil {
		return nil, err
	}
	m := meaning(name)
	switch {
	case !found:
		m.what += " is missing"
	case at.UnixNano() != made:
		m.what += " is another one than before: it was made at " + at.UTC().Format(time.RFC3339)
	default:
		return nil, nil //nolint:nilnil // as above
	}
	return &m, nil
}
