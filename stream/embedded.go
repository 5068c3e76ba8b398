package stream

import (
	"context"
	"crypto/subtle"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// EmbeddedConfig describes the log that runs inside the process.
type EmbeddedConfig struct {
	Dir string // where the streams are kept; one server at a time
	// NoSync leaves acknowledged messages in the page cache for a while, so that a power
	// loss may take them. It is only for measuring what syncing costs.
	NoSync bool
	Logger *slog.Logger
}

// authTimeout is how long a connection may take to authenticate, s. It is generous
// because the machine may be busy with a recovery.
const authTimeout = 60 // s

// startServer starts a nats-server for this process alone: it listens on a port of the
// loopback interface that the system chooses, and takes only clients that know secret.
// Before that it mends the files of the log.
//
// In-process connections would do without a port, but they are pipes without a buffer,
// where each write waits for the reader: with sockets an event costs an eighth less CPU,
// and a sixth more events go through (ADR 15).
func startServer(c EmbeddedConfig, secret string) (*server.Server, error) {
	if err := mendLog(c.Dir, c.Logger); err != nil {
		return nil, err
	}
	s, err := server.NewServer(&server.Options{
		ServerName:        "nudge",
		Host:              "127.0.0.1",
		Port:              server.RANDOM_PORT,
		AuthTimeout:       authTimeout,
		JetStream:         true,
		StoreDir:          c.Dir,
		SyncAlways:        !c.NoSync,
		NoSigs:            true,
		MaxPayload:        8 << 20, // bytes; frames and effect messages have 512 KiB, send batches a little more
		JetStreamMaxStore: 1 << 50, // streams have limits of their own

		CustomClientAuthentication: onlyUs{secret},
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

// onlyUs accepts clients that know the secret.
type onlyUs struct{ secret string }

// Check implements server.Authentication.
func (o onlyUs) Check(c server.ClientAuthentication) bool {
	return subtle.ConstantTimeCompare([]byte(c.GetOpts().Token), []byte(o.secret)) == 1
}

// serverLog passes on what the server logs. Without it the server is silent, even about
// damage that it found and repaired by forgetting messages.
type serverLog struct{ log *slog.Logger }

func (l serverLog) Noticef(format string, v ...any) { l.say(slog.LevelDebug, format, v) }
func (l serverLog) Warnf(format string, v ...any)   { l.say(slog.LevelWarn, format, v) }
func (l serverLog) Fatalf(format string, v ...any)  { l.say(slog.LevelError, format, v) }
func (l serverLog) Errorf(format string, v ...any)  { l.say(slog.LevelError, format, v) }
func (l serverLog) Debugf(format string, v ...any)  { l.say(slog.LevelDebug, format, v) }
func (l serverLog) Tracef(format string, v ...any)  { l.say(slog.LevelDebug, format, v) }

// say logs one line of the server.
func (l serverLog) say(level slog.Level, format string, v []any) {
	l.log.Log(context.Background(), level, "nats-server", slog.String("text", fmt.Sprintf(format, v...)))
}

// Address returns the host:port at which the server of the log listens, "" if it is not
// known.
func (l *JetStream) Address() string { return l.conn.ConnectedAddr() }
