package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"

	"github.com/nudge-engine/nudge/internal/identity"
	"github.com/nudge-engine/nudge/ops/demo"
	"github.com/nudge-engine/nudge/ops/replay"
)

// replayCommand is `nudge replay`: it sends recorded calls to a running server, for tests and
// to move events from elsewhere.
type replayCommand struct {
	URL    string `env:"NUDGE_URL" default:"http://127.0.0.1:8080" help:"Where the server takes events."`
	Key    string `env:"NUDGE_WRITE_KEY" help:"Write key. Default: that of node.json in --data-dir."`
	Data   string `name:"data-dir" env:"NUDGE_DATA_DIR" default:"data" placeholder:"DIR" help:"Data directory of the server, when it runs on this machine."`
	Events string `arg:"" name:"file" help:"Calls, one JSON object a line."`
	Batch  int    `default:"100" help:"Calls a request, 1 to 2500."`
	// Now makes old recordings usable: otherwise events are as old as their timestamps say.
	Now bool `help:"Leave the timestamps out: the calls happen as they come."`
}

func (r *replayCommand) Help() string {
	return `Plays recorded calls through the API. A call that the server refuses is printed
with the reason; a request that it cannot take now is tried again.

Example:
  nudge replay examples/shop/events.ndjson`
}

// Run sends the calls in batches, in order, one batch after the other. A call that the server
// refuses is printed with its line and does not end the run; a batch that is not taken for a
// minute does.
func (r *replayCommand) Run(out console) error {
	// 2,500 is the most that the server takes in one request (ingest.MaxBatch).
	if r.Batch < 1 || r.Batch > 2500 {
		return fmt.Errorf("--batch %d: must be from 1 to 2500", r.Batch)
	}
	// A server on this machine keeps the key that it made.
	// The flag or the variable goes first.
	if r.Key == "" {
		id, err := identity.Read(r.Data)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		if r.Key = id.WriteKey; r.Key == "" {
			return fmt.Errorf("no write key was found in %s: set NUDGE_WRITE_KEY, or name the server's data directory "+
				"with --data-dir or NUDGE_DATA_DIR; that of the demo (make run) is %s", identity.Path(r.Data),
				demo.DefaultKey)
		}
	}
	lines, err := replay.ReadLines(r.Events)
	if err != nil {
		return err
	}
	bar := progress(out, len(lines), "replaying")
	player := &replay.Player{URL: r.URL, Key: r.Key, Client: http.DefaultClient, Waiting: func(err error) {
		fmt.Fprintf(out.err, "%s takes no events now, trying for a minute; --url or NUDGE_URL names another "+
			"server (%v)\n", r.URL, err)
	}}
	refused := 0
	for start := 0; start < len(lines); start += r.Batch {
		batch := lines[start:min(start+r.Batch, len(lines))]
		rejects, err := player.Send(context.Background(), batch, r.Now)
		if err != nil {
			return err
		}
		// The index counts from the beginning of the batch; empty lines of the file are not
		// counted.
		for _, reject := range rejects {
			fmt.Fprintf(out.err, "%s:%d: %s: %s\n", r.Events, start+reject.Index+1, reject.Path, reject.Message)
		}
		refused += len(rejects)
		_ = bar.Add(len(batch))
	}
	_ = bar.Finish()
	fmt.Fprintf(out.out, "%d calls sent, %d taken, %d refused\n", len(lines), len(lines)-refused, refused)
	return nil
}
