package chdb

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// ErrBusy means that no connection became free within the pool's wait.
var ErrBusy = errors.New("chdb: all connections are busy")

// PoolOptions limit what the engine is asked to do at once. Zero values stand for the
// defaults.
type PoolOptions struct {
	// Readers is the number of statements that run at once beside the insert.
	// Each may use all cores, so more of them do not make the whole faster;
	// they keep a short query from waiting behind long ones. Default 4.
	Readers int
	// Wait is how long a statement waits for its turn. Default 30 s.
	Wait time.Duration
	// ReadLimits are settings of the reading connections, before the
	// caller's. Default DefaultReadLimits.
	ReadLimits []Setting
	// Role is the role of the engine's configuration that every lent connection
	// has, and no other. "" leaves all roles of the user.
	Role string
}

// DefaultReadLimits returns settings that keep one query from taking the whole machine: 60
// s, 2 GiB of memory, and 512 MiB of result, which is held in memory twice.
func DefaultReadLimits() []Setting {
	return []Setting{
		{"max_execution_time", "60"},
		{"max_memory_usage", "2147483648"},
		{"max_result_bytes", "536870912"},
	}
}

// withDefaults returns o with the defaults in place of zero values.
func (o PoolOptions) withDefaults() PoolOptions {
	if o.Readers <= 0 {
		o.Readers = 4
	}
	if o.Wait <= 0 {
		o.Wait = 30 * time.Second
	}
	if o.ReadLimits == nil {
		o.ReadLimits = DefaultReadLimits()
	}
	return o
}

// Pool lends connections: N for reading and one for inserts, so that inserts
// never wait for analysts. It holds turns, not open sessions: a session is
// opened for each loan and closed after it, so that a SET, a USE or a
// temporary table of one caller is never seen by the next.
type Pool struct {
	engine  *Engine
	opt     PoolOptions
	reads   chan struct{}
	inserts chan struct{}
}

// NewPool returns a pool on e. It opens no connection yet.
func NewPool(e *Engine, opt PoolOptions) *Pool {
	opt = opt.withDefaults()
	return &Pool{
		engine:  e,
		opt:     opt,
		reads:   make(chan struct{}, opt.Readers),
		inserts: make(chan struct{}, 1),
	}
}

// Read lends use a connection with the read limits; settings may change them. It waits for
// a turn, and fails with ErrBusy where none comes within the pool's wait.
func (p *Pool) Read(ctx context.Context, settings []Setting, use func(*Conn) error) error {
	return p.lend(ctx, "read", p.reads, slices.Concat(p.opt.ReadLimits, settings), use)
}

// Insert lends use the one connection for inserts. It has no time limit of its own.
func (p *Pool) Insert(ctx context.Context, settings []Setting, use func(*Conn) error) error {
	return p.lend(ctx, "insert", p.inserts, settings, use)
}

// Open opens a connection that the caller keeps and must close: for a session of a client.
// It takes no turn; its statements should.
func (p *Pool) Open(ctx context.Context) (*Conn, error) {
	conn, err := p.engine.Connect(p.opt.ReadLimits...)
	if err != nil {
		return nil, err
	}
	if err := conn.assume(ctx, p.opt.Role); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// lend waits for a turn, opens a connection with settings, and closes it when use has
// returned.
func (p *Pool) lend(ctx context.Context, kind string, turns chan struct{}, settings []Setting,
	use func(*Conn) error,
) error {
	timer := time.NewTimer(p.opt.Wait)
	defer timer.Stop()
	select {
	case turns <- struct{}{}:
		defer func() { <-turns }()
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return fmt.Errorf("%w: no %s connection became free in %v (there are %d); send less at once, or give the "+
			"server more", ErrBusy, kind, p.opt.Wait, cap(turns))
	}
	conn, err := p.engine.Connect(settings...)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.assume(ctx, p.opt.Role); err != nil {
		return err
	}
	return use(conn)
}
