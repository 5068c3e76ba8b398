package main

import (
	"context"

	"github.com/nudge-engine/nudge/ops/recovery"
)

// recoverCommand is `nudge recover`; package ops/recovery says what it does and why.
type recoverCommand struct {
	Data string `required:"" aliases:"data-dir" placeholder:"DIR" help:"Data directory of a server that is not running."`
	// Yes is needed because what recovery accepts as lost cannot be had back.
	Yes bool `help:"Do it. Without this only what would be done is said."`
}

func (r *recoverCommand) Help() string {
	return `Brings partitions back that halted because their log lost messages that had been
read: a damaged disk, an older copy put in place, a stream made anew. It also
accepts that a part of the data is missing or of another directory (a stream, the
state, node.json, the rows of ClickHouse), for which a server does not start: what
is missing is then made anew at the next start. Put it back from a backup instead
when there is one.

The state of the customers is kept. The numbering of the stream is moved behind
everything that was ever read of it, so that no new event is taken for an old
one; events that came after the loss, under numbers used before, are appended
again (one that is known is recognised by its id). What the log no longer has
and nobody had read is lost: it is counted and said. Keep a copy of the
directory before.`
}

// Run says what would be mended, and with --yes mends it.
func (r *recoverCommand) Run(out console) error {
	// What the log finds damaged when it is opened is printed too.
	return recovery.Run(context.Background(), recovery.Config{
		Dir: r.Data, Apply: r.Yes, Out: out.out, Logger: errorsOnly(out),
	})
}
