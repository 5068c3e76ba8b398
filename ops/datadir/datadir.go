// Package datadir opens the data directory of a server that is not running, for the tools that
// look into it or mend it: verify, recover, time travel, simulation on the log. It locks the
// directory as a server does, so that neither runs while the other has it.
package datadir

import (
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"

	"github.com/gofrs/flock"

	"github.com/nudge-engine/nudge/actors/shard"
	"github.com/nudge-engine/nudge/actors/shard/control"
	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/parse"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/trace"
	"github.com/nudge-engine/nudge/internal/identity"
	"github.com/nudge-engine/nudge/storage"
	"github.com/nudge-engine/nudge/stream"
)

// Workspace is the workspace of all customers and definitions: a server has only this one.
const Workspace = "default"

// ErrInUse means that a server, or another tool, has the directory.
var ErrInUse = errors.New("in use: stop the server first")

// Dir is a data directory that is locked and open. Where the disk damaged the log, opening
// mends it and reports that; nothing else is changed through a Dir. It belongs to one
// goroutine; Close gives it back.
type Dir struct {
	Path string
	// Store is the state, open read only.
	Store    *storage.Pebble
	Log      *stream.JetStream
	Language *expr.Language
	// Control has all control records in order; the first is the genesis.
	Control []control.Record
	// EraseKey is the key of the hashes of erased customers; nil when there is none.
	EraseKey []byte

	unlock func() error
}

// Lock keeps servers and other tools from a directory until unlock is called. It does not
// wait: the error wraps ErrInUse when one of them has it.
func Lock(dir string) (unlock func() error, err error) {
	lock := flock.New(filepath.Join(dir, "lock"))
	locked, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("%s cannot be locked: %w", dir, err)
	}
	if !locked {
		return nil, fmt.Errorf("%s is %w", dir, ErrInUse)
	}
	return lock.Unlock, nil
}

// Open locks and opens a directory. The log reports damage to logger. The error wraps ErrInUse
// while a server or another tool has the directory, and says so when a part is missing.
func Open(dir string, logger *slog.Logger) (_ *Dir, err error) {
	d := &Dir{Path: dir}
	if d.unlock, err = Lock(dir); errors.Is(err, ErrInUse) {
		return nil, fmt.Errorf("%w, or take a copy of it", err)
	}
	if err != nil {
		return nil, err
	}
	// What is open already is closed again on an error.
	defer func() {
		if err != nil {
			err = errors.Join(err, d.Close())
		}
	}()
	// Read only: whatever a tool does, the state of the server stays as it was.
	if d.Store, err = storage.OpenPebble(storage.PebbleConfig{Dir: d.StateDir(), ReadOnly: true}); err != nil {
		return nil, err
	}
	if d.Log, err = OpenLog(dir, logger); err != nil {
		return nil, err
	}
	if d.Language, err = expr.NewLanguage(); err != nil {
		return nil, err
	}
	if d.EraseKey, err = EraseKey(dir); err != nil {
		return nil, err
	}
	d.Control, err = ReadControl(d.Log)
	return d, err
}

// Close closes the parts and unlocks the directory.
func (d *Dir) Close() error {
	var errs []error
	if d.Log != nil {
		errs = append(errs, d.Log.Close())
	}
	if d.Store != nil {
		errs = append(errs, d.Store.Close())
	}
	return errors.Join(append(errs, d.unlock())...)
}

// OpenLog opens the log of a directory that the caller has locked. It repairs what the disk
// damaged and reports that to logger.
func OpenLog(dir string, logger *slog.Logger) (*stream.JetStream, error) {
	return stream.OpenEmbedded(stream.EmbeddedConfig{Dir: filepath.Join(dir, "log"), Logger: logger})
}

// StateDir returns the directory of the state: the store and its checkpoints.
func (d *Dir) StateDir() string { return filepath.Join(d.Path, "state") }

// Genesis returns what the log was created with.
func (d *Dir) Genesis() *control.Genesis { return d.Control[0].Genesis }

// Campaigns returns the names of all campaigns that ever were, in force or not, in the order in
// which they came.
func (d *Dir) Campaigns() []string {
	var names []string
	for i := range d.Control {
		if a := d.Control[i].Apply; a != nil {
			for _, doc := range a.Documents {
				if doc.Kind == program.KindCampaign && !slices.Contains(names, doc.Name) {
					names = append(names, doc.Name)
				}
			}
		}
	}
	return names
}

// RebasedTo returns the last frame of a partition whose effects were computed with frames that
// are lost (`nudge recover` accepted that); 0 when there is none. A replay can only begin
// after it: without the lost frames it would compute other effects.
func (d *Dir) RebasedTo(partition int) (frame uint64) {
	for i := range d.Control {
		// Of several losses the last one counts.
		if s := d.Control[i].Skip; s != nil && s.Partition == partition {
			frame = max(frame, s.Rebased)
		}
	}
	return frame
}

// NewShard makes an empty shard of a partition, which passes over the records that the server
// passed over. It writes what it decides about a customer into trace, if that is not nil.
func (d *Dir) NewShard(partition int, trace *trace.Trace) *shard.Shard {
	return shard.New(shard.Config{
		Partition: partition, Skips: control.SkipsOf(d.Control, partition), Trace: trace, EraseKey: d.EraseKey,
		Compile: Compile(d.Language),
	})
}

// Compile returns a function that parses documents in a language, in the form that a shard
// wants. It is safe for concurrent use.
func Compile(lang *expr.Language) shard.Compile {
	return func(workspace string, doc *program.Document) (program.Definition, error) {
		return parse.Document(lang, workspace, doc)
	}
}

// States returns the paths of the kept states, oldest first: the checkpoints, then "" for the
// store itself.
func (d *Dir) States() ([]string, error) {
	names, err := storage.Checkpoints(d.StateDir())
	if err != nil {
		return nil, err
	}
	paths := make([]string, 0, len(names)+1)
	for _, name := range names {
		paths = append(paths, storage.CheckpointPath(d.StateDir(), name))
	}
	// The store itself is later than each of its checkpoints.
	return append(paths, ""), nil
}

// Meta returns what a kept state says about a partition: how far it is, and its hash. It is
// the zero value when the state has nothing of the partition.
func (d *Dir) Meta(state string, partition int) (m shard.Meta, err error) {
	err = d.withStore(state, func(store storage.Store) error {
		stored, err := store.Get(storage.MetaKey(partition))
		if err != nil || stored == nil {
			return err
		}
		m, err = shard.DecodeMeta(stored)
		return err
	})
	return m, err
}

// Recover loads a kept state into a new shard. The error wraps shard.ErrSemantics when another
// version computed the state.
func (d *Dir) Recover(shard *shard.Shard, state string) error {
	return d.withStore(state, shard.Recover)
}

// withStore calls f with the store of a kept state, which is open during the call only.
func (d *Dir) withStore(state string, f func(storage.Store) error) error {
	if state == "" {
		return f(d.Store)
	}
	store, err := storage.OpenPebble(storage.PebbleConfig{Dir: state, ReadOnly: true})
	if err != nil {
		return err
	}
	return errors.Join(f(store), store.Close())
}

// EraseKey returns the key of the hashes of erased customers that a server with this data
// directory has: as configured in the environment, else as it was made. It is nil when there
// is none.
func EraseKey(dir string) ([]byte, error) {
	// The variable of the server's setting: a tool that runs in the same environment finds the
	// same key.
	given := os.Getenv("NUDGE_ERASE_KEY")
	if given == "" {
		id, err := identity.Read(dir)
		if errors.Is(err, os.ErrNotExist) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		given = id.EraseKey
	}
	key, err := hex.DecodeString(given)
	if err != nil {
		return nil, errors.New("the erase key is not hexadecimal")
	}
	return key, nil
}
