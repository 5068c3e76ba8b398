package storage

import (
	"fmt"
	"log/slog"
	"os"
)

// logger passes on what Pebble logs. A fatal error of the store ends the process: to go
// on could acknowledge what is not kept, and a restart replays the log.
type logger struct {
	log   *slog.Logger
	fatal func(string)
}

// pebbleLog returns the logger of a configuration.
func pebbleLog(c PebbleConfig) logger {
	l := logger{log: c.Logger, fatal: c.Fatal}
	if l.log == nil {
		l.log = slog.New(slog.DiscardHandler)
	}
	if l.fatal == nil {
		l.fatal = func(string) { os.Exit(1) }
	}
	return l
}

func (l logger) Infof(format string, args ...any) {
	l.log.Debug("storage: pebble", slog.String("text", fmt.Sprintf(format, args...)))
}

func (l logger) Errorf(format string, args ...any) {
	l.log.Error("storage: pebble", slog.String("text", fmt.Sprintf(format, args...)))
}

func (l logger) Fatalf(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	l.log.Error("storage: the store cannot go on", slog.String("text", text))
	l.fatal(text)
}
