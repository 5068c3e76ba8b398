package bench

import (
	"context"
	"errors"
	"fmt"
)

// Queries of nudge's tables.
const (
	settled      = "status IN ('sent', 'recalled')"
	rowsSettled  = "SELECT countIf(" + settled + ") FROM nudge.deliveries"
	countSettled = "SELECT countIf(" + settled + "), uniqExactIf(trigger_id, " + settled + "), " +
		"countIf(status = 'recalled') FROM nudge.deliveries"
	rowsChains  = "SELECT count() FROM nudge.chains"
	rowsStopped = "SELECT countIf(outcome = 'stopped') FROM nudge.chains"
	countChains = "SELECT countIf(isNull(ended_at)), countIf(outcome = 'stopped') FROM nudge.chains"
)

// nudgeSide runs the load against nudge.
func (o Options) nudgeSide(ctx context.Context) (s Side, err error) {
	o.Progress.Stage("starting nudged")
	server, err := StartServer(ctx, o.Server, []string{shopChain()})
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	o.Progress.Stage("nudge: batches of %d over %d connections for %v", o.Batch, o.Connections, o.Duration)
	l, model := o.shopLoad(server.batchURL())
	before := server.usage()
	profiled := server.profile(ctx, o.Profile, o.Duration)
	sum, err := l.closedLoop(ctx, o.Duration)
	if err != nil {
		return s, server.explain(err)
	}
	s.Model = model()
	readable, err := server.awaitRows(ctx, rowsOfEvents, sum.events, o.Progress)
	if err != nil {
		return s, err
	}
	done, err := server.awaitRows(ctx, rowsSettled, sum.deliveries, o.Progress)
	if err != nil {
		return s, err
	}
	cpu := server.usage().since(before, sum.events)
	if err := <-profiled; err != nil {
		return s, err
	}
	s.ServerCPU, s.StoreCPU, s.OthersCores = cpu.Nudged, cpu.Clickhoused, cpu.OthersCores
	s.count(sum, readable, done)
	// Chains are readable a moment later than deliveries; they are no part of the figure.
	if _, err := server.awaitRows(ctx, rowsChains, s.Model.Carts, o.Progress); err != nil {
		return s, err
	}
	if _, err := server.awaitRows(ctx, rowsStopped, s.Model.Cancelled, o.Progress); err != nil {
		return s, err
	}
	err = s.ask(ctx, server)
	return s, err
}

// ask fills in what nudge's tables say, and checks it.
func (s *Side) ask(ctx context.Context, server *Server) error {
	stored, err1 := server.Query(ctx, "SELECT count(), uniqExact(message_id) FROM nudge.events")
	sends, err2 := server.Query(ctx, countSettled)
	chains, err3 := server.Query(ctx, countChains)
	if err := errors.Join(err1, err2, err3); err != nil {
		return server.explain(err)
	}
	s.TakenBack = sends[2]
	s.Did = shopped{Carts: sends[0], Waiting: chains[0], Cancelled: chains[1], SameBatch: s.Model.SameBatch}
	s.check(stored[0], sends[1])
	if stored[1] != s.Events {
		s.wrong = append(s.wrong, fmt.Sprintf("different events stored: %d; want %d", stored[1], s.Events))
	}
	return nil
}
