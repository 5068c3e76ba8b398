package stream_test

import (
	"log/slog"
	"testing"
	"time"

	"github.com/nudge-engine/nudge/stream"
	"github.com/nudge-engine/nudge/stream/streamtest"
)

func TestMemoryConforms(t *testing.T) {
	streamtest.Run(t, false, func(*testing.T) stream.Log { return stream.NewMemory(time.Now) })
}

func TestJetStreamConforms(t *testing.T) {
	dirs := map[string]string{}
	streamtest.Run(t, true, func(t *testing.T) stream.Log {
		t.Helper()
		dir, ok := dirs[t.Name()]
		if !ok {
			dir = t.TempDir()
			dirs[t.Name()] = dir
		}
		l, err := stream.OpenEmbedded(stream.EmbeddedConfig{Dir: dir, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		return l
	})
}

// By URL every subtest has a server of its own, which outlives the log's close.
func TestJetStreamByURLConforms(t *testing.T) {
	urls := map[string]string{}
	streamtest.Run(t, true, func(t *testing.T) stream.Log {
		t.Helper()
		url, ok := urls[t.Name()]
		if !ok {
			url = streamtest.StartServer(t, t.TempDir())
			urls[t.Name()] = url
		}
		l, err := stream.OpenURL(url, 1, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		return l
	})
}
