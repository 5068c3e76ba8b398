package server

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/nudge-engine/nudge/server/admin"
)

// clockTolerance is how far the log may be ahead of the clock before it is reported. Clocks of
// machines that are kept in time differ by far less.
const clockTolerance = time.Second

// ready returns in few words why the server should not get traffic yet; nil when it should.
func (n *Node) ready() error { return n.readiness().Reason() }

// readiness returns all that keeps the server from being ready, and all that is wrong although
// it is. A ClickHouse that fails after it once worked is only a warning: rows wait in the log
// meanwhile. Before its first answer it counts as missing, because then nobody knows whether
// it is configured correctly. It is safe for concurrent use.
func (n *Node) readiness() admin.Readiness {
	var r admin.Readiness
	// The parts below may be nil until then.
	if !n.up.Load() {
		r.Missing = append(r.Missing, admin.Remark{Short: "starting"})
		return r
	}
	var halted, behind []string
	// A partition has caught up when it has applied what the log had at start; later events do
	// not count, or a busy server would never be ready.
	for p, end := range n.caughtUp {
		if err := n.engine.Halted(p); err != nil {
			halted = append(halted, err.Error())
		} else if acked := n.engine.Acked(p); acked < end {
			behind = append(behind, fmt.Sprintf("partition %d is at frame %d of %d", p, acked, end))
		}
	}
	if halted != nil {
		r.Missing = append(r.Missing, admin.Remark{Short: "a partition has halted", Detail: strings.Join(halted, "; ")})
	}
	if behind != nil {
		r.Missing = append(r.Missing,
			admin.Remark{Short: "catching up with the log", Detail: strings.Join(behind, ", ")})
	}
	failing := n.writer.Failing()
	rows := admin.Remark{Short: "ClickHouse takes no rows"}
	// The text of an error may have the URL of ClickHouse in it, with its password.
	if failing != nil {
		rows.Detail = n.settings.Filter().Text(failing.Error())
	}
	switch {
	case !n.writer.Answered(): // whether rows can be written at all has not been seen yet
		rows.Short = "ClickHouse has not answered since the start"
		r.Missing = append(r.Missing, rows)
	case failing != nil:
		r.Warnings = append(r.Warnings, rows)
	}
	r.Warnings = append(r.Warnings, n.clockWarnings()...)
	return r
}

// clockWarnings returns what is wrong with the clock: it has jumped, or the log is ahead of
// it; nil when nothing is.
func (n *Node) clockWarnings() []admin.Remark {
	if _, err := n.clock.Now(); err != nil {
		return []admin.Remark{{Short: "the clock has jumped", Detail: err.Error()}}
	}
	behind := n.clockBehind()
	if behind <= clockTolerance {
		return nil
	}
	return []admin.Remark{{
		Short: fmt.Sprintf("the clock is %v behind the log: no timer is due before it is there",
			behind.Round(time.Second)),
		Detail: "set the machine's clock right, or wait; the log's time never goes back",
	}}
}

// clockBehind returns how far the clock is behind the latest record that was applied; 0 when
// it is not, or cannot be read. Such a log was written under a clock that was ahead; since log
// time never goes back, timers wait until the clock has caught up.
func (n *Node) clockBehind() time.Duration {
	now, err := n.clock.Now()
	if err != nil {
		return 0
	}
	behind := int64(0)
	for p := range n.events {
		behind = max(behind, n.stats.get(p).Now-now)
	}
	return time.Duration(behind) * time.Millisecond
}

// tellReady writes a line to the pipe that the program which started this one has given it.
// That program could also ask the address, but then another server might answer in place of
// this one.
func (n *Node) tellReady() {
	if n.settings.ReadyFD == 0 {
		return
	}
	pipe := os.NewFile(uintptr(n.settings.ReadyFD), "ready-fd")
	if _, err := io.WriteString(pipe, "listening\n"); err != nil {
		n.log.Warn("ready_fd: nobody reads it", slog.Any("error", err))
	}
	_ = pipe.Close()
}
