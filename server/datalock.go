package server

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/gofrs/flock"
)

// dataLock keeps other processes from a data directory by a lock of the operating system,
// which ends with the process however that ends. The file that is locked holds the process id
// of the server, so that a process that waits can name it.
type dataLock struct{ lock *flock.Flock }

// takeLock locks the file at path. While another process holds it, it logs which one and waits
// until that one ends or ctx does. The error is about the lock or says that the wait was
// called off.
func takeLock(ctx context.Context, path, dir string, log *slog.Logger) (*dataLock, error) {
	l := &dataLock{flock.New(path)}
	locked, err := l.lock.TryLock()
	if err == nil && !locked {
		attributes := []any{slog.String("dir", dir)}
		if pid := holder(path); pid > 0 {
			attributes = append(attributes, slog.Int("pid", pid))
		}
		log.Warn("waiting for the process that holds the data directory: stop that one, or, to run a second server, "+
			"set NUDGE_DATA_DIR to a directory of its own", attributes...)
		locked, err = l.lock.TryLockContext(ctx, lockEvery)
	}
	if err != nil || !locked {
		return nil, fmt.Errorf("data_dir %s is in use: %w", dir, err)
	}
	// The id is only for the messages of others: a server runs as well without it.
	if err := os.WriteFile(path, []byte(strconv.Itoa(os.Getpid())+"\n"), 0o600); err != nil {
		log.Warn("the lock of the data directory cannot name this process", slog.Any("error", err))
	}
	return l, nil
}

// release clears the process id and lets others have the directory.
func (l *dataLock) release() error {
	// An id that stayed would name a process that no longer runs, or an unrelated one.
	_ = os.Truncate(l.lock.Path(), 0)
	return l.lock.Unlock()
}

// holder returns the process id that a lock file names; 0 when it names none, which is so of
// the lock of a tool, or when no such process runs.
func holder(path string) int {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || pid <= 0 || syscall.Kill(pid, 0) == syscall.ESRCH {
		return 0
	}
	return pid
}
