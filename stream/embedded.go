package stream

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// EmbeddedConfig is how the log runs inside the process.
type EmbeddedConfig struct {
	Dir string // where the streams are kept
	// NoSync lets acknowledged messages wait in the page cache: a power loss may
	// take them. Only for measuring what fsync costs.
	NoSync bool
	Logger *slog.Logger
}

// startServer starts a nats-server that listens on no port.
func startServer(c EmbeddedConfig) (*server.Server, error) {
	if err := mendLog(c.Dir, c.Logger); err != nil {
		return nil, err
	}
	s, err := server.NewServer(&server.Options{
		ServerName:        "nudge",
		DontListen:        true,
		JetStream:         true,
		StoreDir:          c.Dir,
		SyncAlways:        !c.NoSync,
		NoSigs:            true,
		MaxPayload:        8 << 20,
		JetStreamMaxStore: 1 << 50, // streams have limits of their own
	})
	if err != nil {
		return nil, fmt.Errorf("stream: embedded log in %s: %w", c.Dir, err)
	}
	s.SetLoggerV2(serverLog{c.Logger}, false, false, false)
	s.Start()
	if !s.ReadyForConnections(60 * time.Second) {
		s.Shutdown()
		return nil, fmt.Errorf("stream: embedded log in %s: not ready after 60 s", c.Dir)
	}
	return s, nil
}

// serverLog passes on what the server says; it is silent otherwise, also about
// damage that it found and repaired by forgetting.
type serverLog struct{ log *slog.Logger }

func (l serverLog) Noticef(format string, v ...any) { l.say(slog.LevelDebug, format, v) }
func (l serverLog) Warnf(format string, v ...any)   { l.say(slog.LevelWarn, format, v) }
func (l serverLog) Fatalf(format string, v ...any)  { l.say(slog.LevelError, format, v) }
func (l serverLog) Errorf(format string, v ...any)  { l.say(slog.LevelError, format, v) }
func (l serverLog) Debugf(format string, v ...any)  { l.say(slog.LevelDebug, format, v) }
func (l serverLog) Tracef(format string, v ...any)  { l.say(slog.LevelDebug, format, v) }

func (l serverLog) say(level slog.Level, format string, v []any) {
	l.log.Log(context.Background(), level, "nats-server", slog.String("text", fmt.Sprintf(format, v...)))
}
