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

// missingParts says which parts of a data directory are missing or of another one, and
// accepts it.
type missingParts struct {
	dir     string
	log     *stream.JetStream
	store   storage.Store
	out     io.Writer
	do      bool
	key     []byte // of erased customers; nil: none
	written bool   // the stream of how far rows were written is there

	register *parts.Register
	given    parts.Given
	count    int
}

// look says what is missing.
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
	if os.Getenv("NUDGE_CLICKHOUSE_URL") == "" {
		if m.given.Rows, err = parts.ReadRows(filepath.Join(m.dir, "clickhouse")); err != nil {
			return err
		}
	}
	losses, err := m.register.Losses(ctx, m.given)
	for _, l := range losses {
		fmt.Fprintln(m.out, l)
	}
	m.count = len(losses)
	return err
}

// accept has the next start make anew what is missing.
func (m *missingParts) accept(ctx context.Context, log string) error {
	switch {
	case m.count > 0 && !m.do:
		fmt.Fprintln(m.out, "would accept these losses; what is missing is then made anew. Say --yes to do it")
		return nil
	case !m.do:
		return nil
	}
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

// streams opens the streams of the log. Without --yes an empty one in memory stands for one
// that is missing, so that nothing is made.
func (m *missingParts) streams() stream.Log {
	if m.do {
		return m.log
	}
	return dryLog{m.log, stream.NewMemory(time.Now)}
}

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
