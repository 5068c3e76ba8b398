package main

import (
	"context"
	"time"

	"github.com/nudge-engine/nudge/bench"
)

// riverSource is where the peer on River lies in the repository, from its root.
const riverSource = "bench/peers/river"

// peersCommand compares nudge with a program of the same behaviour on a job queue, over the
// same load on the same machine.
type peersCommand struct {
	Peer string `enum:"river" default:"river" help:"Whom to compare with: river, a program on River and PostgreSQL."`
	// Plain leaves out what the peer was tuned with, to show how much that is.
	Plain       bool          `help:"The peer without its tuning: one transaction a request, River's tables and fetches as they come."`
	Duration    time.Duration `default:"10s" help:"How long to send to each."`
	Batch       int           `default:"100" help:"Events a request."`
	Connections int           `default:"64" help:"Keep-alive connections; each waits for its answer."`
	// Each customer keeps to one connection, so that the order of their events is the same for
	// both.
	Customers  int    `default:"100000" help:"Customers, Zipf-distributed; each keeps to one connection."`
	Partitions int    `default:"0" help:"Partitions of nudge's log; 0: the server's default."`
	Seed       uint64 `default:"1" help:"Seed of the workload."`
	Dir        string `default:"data" help:"The run's data go below it; take a real disk, and one that every user can enter when root runs this."`
	Programs   string `help:"Directory of nudged and clickhoused; default: beside this program."`
	Source     string `default:"bench/peers/river" help:"The peer's source; it is built with Go."`
	// Postgres is a directory; PostgreSQL runs as a child of this program, with its data below
	// Dir.
	Postgres string `placeholder:"DIR" help:"PostgreSQL's programs; default: from PATH, or Debian's newest."`
	Profile  string `placeholder:"DIR" help:"Write profiles of nudged under load; the run is then no figure."`
	Quiet    bool   `short:"q" help:"No progress."`
	JSON     string `name:"json" placeholder:"FILE" help:"Write the report to a file."`
}

func (c *peersCommand) Help() string {
	return `A cart is answered at once and after 24 h, unless the customer buys before. nudge and
the peer get the same batches over as many connections, one after the other, and are
asked whether each event is stored, each cart was answered once, and as many answers
wait or are cancelled as the generator's model says.

events/s = events, divided by the time from the first request until each is readable
and its immediate send is done. PostgreSQL is one of the run's own, with fsync.`
}

// Run measures both, one after the other, and shows the report with their ratio.
func (c *peersCommand) Run(ctx context.Context, out console) error {
	// One campaign: the chain that the peer has too.
	flags := common{Campaigns: 1, base: base{
		Batch: c.Batch, Connections: c.Connections, Customers: c.Customers, Partitions: c.Partitions,
		Seed: c.Seed, Dir: c.Dir, Programs: c.Programs, Quiet: c.Quiet,
	}}
	o, err := flags.options(out, c.Duration)
	if err != nil {
		return err
	}
	o.Profile = c.Profile
	r, err := bench.MeasurePeers(ctx, o, bench.PeerConfig{Source: c.Source, Postgres: c.Postgres, Plain: c.Plain})
	if err != nil {
		return err
	}
	return show(out, r, c.JSON)
}
