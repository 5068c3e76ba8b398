package recovery

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/nudge-engine/nudge/actors/shard/erase"
	"github.com/nudge-engine/nudge/internal/identity"
	"github.com/nudge-engine/nudge/internal/parts"
	"github.com/nudge-engine/nudge/storage"
	"github.com/nudge-engine/nudge/stream"
)

// missingParts finds out which parts of a data directory are missing or belong to another one,
// and accepts that.
type missingParts struct {
	dir   string
	log   *stream.JetStream
	store storage.Store
	out   io.Writer
	// do is Config.Apply.
	do bool
	// key is the key of the hashes of erased customers; nil: none.
	key []byte
	// written is true when the stream of how far rows were written is there.
	written bool

	// register, given and count are what look has found: the parts as they were known, as they
	// are, and how many are missing.
	register *parts.Register
	given    parts.Given
	count    int
}

// look prints a line for each part that is missing.
func (m *missingParts) look(ctx context.Context) (err error) {
	if m.register, err = parts.Open(m.log, m.log, m.store); err != nil {
		return err
	}
	if _, m.written, err = m.log.Created(ctx, stream.WarehouseStream); err != nil {
		return err
	}
	id, err := identity.Read(m.dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	m.given = parts.Given{Node: id.Node, NodeLog: id.Log}
	if m.key != nil {
		m.given.EraseKey = strconv.FormatUint(erase.Fingerprint(m.key), 16)
	}
	// As the server does: rows that go elsewhere are no part of the directory.
	if os.Getenv("NUDGE_CLICKHOUSE_URL") == "" {
		if m.given.Rows, err = parts.ReadRows(filepath.Join(m.dir, "clickhouse")); err != nil {
			return err
		}
	}
	// Each loss is one line that says what its part means and what can be done.
	losses, err := m.register.Losses(ctx, m.given)
	for _, l := range losses {
		fmt.Fprintln(m.out, l)
	}
	m.count = len(losses)
	return err
}

// accept makes the next start create what is missing, by storing that the parts are as they
// are now; log is the id of the log. Without Apply it says that it would.
func (m *missingParts) accept(ctx context.Context, log string) error {
	switch {
	// The losses were printed by look.
	case m.count > 0 && !m.do:
		fmt.Fprintln(m.out, "would accept these losses; what is missing is then made anew. Say --yes to do it")
		return nil
	case !m.do:
		return nil
	}
	// The register in the state and node.json both name the log; the next start compares them.
	if _, err := m.register.Accept(ctx, log, m.given); err != nil {
		return err
	}
	if m.count > 0 {
		fmt.Fprintln(m.out, "accepted: what is missing is made anew at the next start")
	}
	id, err := identity.Read(m.dir)
	if errors.Is(err, os.ErrNotExist) || err == nil && id.Log == log {
		return nil
	}
	if err != nil {
		return err
	}
	id.Log = log
	return id.Save(m.dir)
}

// streams returns the log through which streams are opened. Without Apply an empty stream in
// memory takes the place of one that is missing, so that nothing is created.
func (m *missingParts) streams() stream.Log {
	if m.do {
		return m.log
	}
	return dryLog{m.log, stream.NewMemory(time.Now)}
}

// dryLog opens streams that exist, and others in memory.
type dryLog struct {
	*stream.JetStream
	instead stream.Log
}

// Open implements stream.Log.
func (l dryLog) Open(ctx context.Context, name string, o stream.Options) (stream.Stream, error) {
	_, found, err := l.Created(ctx, name)
	if err != nil {
		return nil, err
	}
	if !found {
		return l.instead.Open(ctx, name, o)
	}
	return l.JetStream.Open(ctx, name, o)
}
