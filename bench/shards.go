package bench

import (
	"fmt"
	"math"
	"runtime"

	"github.com/nudge-engine/nudge/actors/shard"
	"github.com/nudge-engine/nudge/actors/shard/control"
	"github.com/nudge-engine/nudge/actors/shard/dedupe"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/parse"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/internal/effect"
	"github.com/nudge-engine/nudge/stream"
)

// documentsPerRecord is about as many as the server puts into a control record.
const documentsPerRecord = 200

// newShards makes the shards of n partitions, with definitions in force. They share the
// compiled programs, as in the server.
func newShards(files []string, n int) ([]*shard.Shard, error) {
	lang, err := expr.NewLanguage()
	if err != nil {
		return nil, err
	}
	frame, err := definitionFrame(lang, files)
	if err != nil {
		return nil, err
	}
	compiled := map[string]program.Definition{}
	compile := func(workspace string, d *program.Document) (program.Definition, error) {
		key := d.Kind + "/" + d.Name
		if p, known := compiled[key]; known {
			return p, nil
		}
		p, err := parse.Document(lang, workspace, d)
		compiled[key] = p
		return p, err
	}
	var shards []*shard.Shard
	for range n {
		s := shard.New(shard.Config{Compile: compile, Unguarded: true})
		in := shard.Input{At: shard.Position{Seq: 1}, Frame: frame}
		if err := step(s, &in, new(effect.Effects)); err != nil {
			return nil, err
		}
		shards = append(shards, s)
	}
	return shards, nil
}

// definitionFrame is a log's first frame: what creates it, and the definitions.
func definitionFrame(lang *expr.Language, files []string) (stream.Frame, error) {
	frame := stream.Frame{Time: foldStart}
	k := uint64(0)
	add := func(c control.Record) {
		k++
		c.K = k
		frame.Records = append(frame.Records, stream.Record{Kind: stream.KindControl, Data: c.Encode()})
	}
	add(control.Record{Genesis: &control.Genesis{
		LogID: "bench", Partitions: 1, Semantics: effect.Semantics, DedupeIDs: dedupe.DefaultIDs,
	}})
	var documents []program.Document
	for i, text := range files {
		docs, err := parse.File(lang, fmt.Sprintf("bench-%d.yaml", i), []byte(text))
		if err != nil {
			return frame, err
		}
		for _, d := range docs {
			d.Document.Version = 1
			documents = append(documents, d.Document)
		}
	}
	for len(documents) > 0 {
		n := min(documentsPerRecord, len(documents))
		add(control.Record{Apply: &control.Apply{Workspace: "default", Documents: documents[:n]}})
		documents = documents[n:]
	}
	return frame, nil
}

// weighCampaigns is the live heap that one of count campaigns takes in the shards of all
// partitions, after events of each name have built the indexes.
func weighCampaigns(count, partitions int) (bytes float64, err error) {
	before := liveHeap()
	shards, err := newShards(Workload{Campaigns: count}.Definitions(""), partitions)
	if err != nil {
		return 0, err
	}
	for _, s := range shards {
		var b stream.Builder
		for _, t := range triggers() {
			e := event.Event{
				Workspace: "default", Customer: "nobody", ID: t.name, Type: event.Track, Name: t.name,
				Time: foldStart,
			}
			b.Add(stream.KindEvent, e.AppendTo(nil))
		}
		frame, err := stream.DecodeFrame(b.Seal(foldStart))
		if err != nil {
			return 0, err
		}
		in := shard.Input{At: shard.Position{Seq: s.Applied().Seq + 1}, Frame: frame}
		if err := step(s, &in, new(effect.Effects)); err != nil {
			return 0, err
		}
	}
	bytes = math.Round(float64(liveHeap()-before) / float64(count))
	runtime.KeepAlive(shards)
	return bytes, nil
}
