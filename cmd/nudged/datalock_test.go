package main_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// A second server on a directory says who holds it and what to set, and starts when that
// one has ended.
func TestDirectoryInUse(t *testing.T) {
	first := newServer(t, "", "NUDGE_PARTITIONS=1")
	first.start()
	first.ready()
	second := newServer(t, "", "NUDGE_PARTITIONS=1", "NUDGE_DATA_DIR="+first.data, "NUDGE_LOG_LEVEL=warn")
	second.start()
	want := fmt.Sprintf("pid=%d", first.process.Process.Pid)
	second.eventually(time.Minute, "the second says whom it waits for", func() error {
		for line := range strings.Lines(second.log.String()) {
			if strings.Contains(line, "level=WARN") && strings.Contains(line, "set NUDGE_DATA_DIR") &&
				strings.Contains(line, want) {
				return nil
			}
		}
		return errNotYet
	})
	first.kill()
	second.ready()
	second.stop()
}
