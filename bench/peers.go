package bench

import (
	"context"
	"fmt"
	"io"
	"runtime"

	"github.com/nudge-engine/nudge/bench/peers"
)

// PeerRiver names the peer on River and PostgreSQL.
const PeerRiver = "river"

// Peers is the report of the scenario of that name: the same chain, batches and
// connections, once with nudge and once with what one would build instead.
type Peers struct {
	Scenario    string   `json:"scenario"`
	Peer        string   `json:"peer"`
	Plain       bool     `json:"plain,omitempty"`
	Nudge       float64  `json:"nudge_events_per_second"`
	PeerRate    float64  `json:"peer_events_per_second"`
	Ratio       float64  `json:"ratio"` // of nudge to the peer
	Correct     bool     `json:"correct"`
	Wrong       []string `json:"wrong,omitempty"`
	Connections int      `json:"connections"`
	Batch       int      `json:"batch"`
	Customers   int      `json:"customers"`
	Cores       int      `json:"cores"`
	Seed        uint64   `json:"seed"`
	NudgeSide   Side     `json:"nudge_side"`
	PeerSide    Side     `json:"peer_side"`
}

// Side is what one of the two did.
type Side struct {
	Events int     `json:"events"`
	Model  shopped `json:"model"`
	Did    shopped `json:"did"`
	// TakenBack are immediate sends that had not left when the customer bought; nudge
	// recalls those, and they are done too.
	TakenBack int     `json:"immediate_sends_taken_back"`
	Retries   int     `json:"retries"`
	Accepted  float64 `json:"accepted_per_second"`
	Readable  float64 `json:"readable_per_second"` // events, whatever became of their sends
	// DoneSeconds is from the first request until every event is readable and its
	// immediate send is done.
	DoneSeconds float64 `json:"done_seconds"`
	LagSeconds  float64 `json:"lag_seconds"` // of it after the last acknowledgement
	ServerCPU   float64 `json:"server_cpu_us_per_event"`
	StoreCPU    float64 `json:"store_cpu_us_per_event"` // ClickHouse, or PostgreSQL
	OthersCores float64 `json:"others_cores"`
	// wrong is what differs from the model.
	wrong []string
}

// PeerConfig says where the peer's parts are.
type PeerConfig struct {
	Source   string // of the peer's program
	Postgres string // directory of PostgreSQL's programs; "": it is looked for
	// Plain leaves out what the peer has been tuned with: one transaction a request,
	// and River's tables and fetches as they come.
	Plain bool
}

// Ready says why there can be no peer on this machine, and where PostgreSQL is.
func (c PeerConfig) Ready() (PeerConfig, error) {
	if err := peers.RiverReady(c.Source); err != nil {
		return c, err
	}
	if c.Postgres != "" {
		return c, peers.CheckPostgres(c.Postgres)
	}
	var err error
	c.Postgres, err = peers.FindPostgres()
	return c, err
}

// MeasurePeers measures the peer, then nudge, and checks both.
func MeasurePeers(ctx context.Context, o Options, c PeerConfig) (*Peers, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	c, err := c.Ready()
	if err != nil {
		return nil, err
	}
	ctx, cancel := o.limit(ctx)
	defer cancel()
	r := &Peers{
		Scenario: "peers", Peer: PeerRiver, Plain: c.Plain, Connections: o.Connections, Batch: o.Batch,
		Customers: o.Workload.Customers, Cores: runtime.NumCPU(), Seed: o.Workload.Seed,
	}
	if r.PeerSide, err = o.riverSide(ctx, c); err != nil {
		return nil, err
	}
	if r.NudgeSide, err = o.nudgeSide(ctx); err != nil {
		return nil, err
	}
	r.PeerRate, r.Nudge = r.PeerSide.rate(), r.NudgeSide.rate()
	r.Ratio = r.Nudge / r.PeerRate
	for _, w := range r.NudgeSide.wrong {
		r.Wrong = append(r.Wrong, "nudge: "+w)
	}
	for _, w := range r.PeerSide.wrong {
		r.Wrong = append(r.Wrong, PeerRiver+": "+w)
	}
	r.Correct = len(r.Wrong) == 0
	return r, nil
}

func (s *Side) rate() float64 { return float64(s.Events) / s.DoneSeconds }

// check notes what differs from what was acknowledged and what the model says. A side
// may leave out the work of a cart whose purchase is in the same request.
func (s *Side) check(stored, carts int) {
	for _, c := range []struct {
		what      string
		got, want int
	}{
		{"events stored", stored, s.Events},
		{"immediate sends done", s.Did.Carts, s.Model.Carts},
		{"different carts among them", carts, s.Model.Carts},
		{"sends taken back beyond those of customers who bought", max(0, s.TakenBack-s.Model.Cancelled), 0},
		{"sends that wait", s.Did.Waiting, s.Model.Waiting},
		{"sends cancelled by a purchase", s.Did.Cancelled, s.Model.Cancelled - s.Model.SameBatch + s.Did.SameBatch},
	} {
		if c.got != c.want {
			s.wrong = append(s.wrong, fmt.Sprintf("%s: %d; want %d", c.what, c.got, c.want))
		}
	}
}

// Table implements Report.
func (r *Peers) Table(w io.Writer) {
	kind := "tuned"
	if r.Plain {
		kind = "plain"
	}
	fmt.Fprintf(w, "peers: nudge against River + PostgreSQL (%s), batches of %d, %d connections, %s customers\n", kind,
		r.Batch, r.Connections, thousands(r.Customers))
	row(w, "nudge, events a second, done", "%s", thousands(int(r.Nudge)))
	row(w, "River, events a second, done", "%s", thousands(int(r.PeerRate)))
	row(w, "ratio", "%.2f", r.Ratio)
	row(w, "accepted a second", "nudge %s, River %s", thousands(int(r.NudgeSide.Accepted)),
		thousands(int(r.PeerSide.Accepted)))
	row(w, "readable a second", "nudge %s, River %s", thousands(int(r.NudgeSide.Readable)),
		thousands(int(r.PeerSide.Readable)))
	row(w, "done after the last accept", "nudge %.1f s, River %.1f s", r.NudgeSide.LagSeconds, r.PeerSide.LagSeconds)
	row(w, "sends taken back in time", "nudge %s of %s", thousands(r.NudgeSide.TakenBack),
		thousands(r.NudgeSide.Model.Carts))
	row(w, "CPU us an event", "nudged %.1f, clickhoused %.1f; River %.1f, PostgreSQL %.1f", r.NudgeSide.ServerCPU,
		r.NudgeSide.StoreCPU, r.PeerSide.ServerCPU, r.PeerSide.StoreCPU)
	row(w, "cores that others kept busy", "nudge %.1f, River %.1f", r.NudgeSide.OthersCores, r.PeerSide.OthersCores)
	row(w, "each as the model says", "%s", verdict(r.Correct))
}

// Err implements Report.
func (r *Peers) Err() error { return wrongness(r.Wrong) }
