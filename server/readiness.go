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

// clockTolerance is how far the log may be ahead of the clock before it is said.
const clockTolerance = time.Second

// ready says in few words why the server should not get traffic yet.
func (n *Node) ready() error { return n.readiness().Reason() }

func (n *Node) readiness() admin.Readiness {
	var r admin.Readiness
	if !n.up.Load() {
		r.Missing = append(r.Missing, admin.Remark{Short: "starting"})
		return r
	}
	var halted, behind []string
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

// clockWarnings says what is wrong with the time.
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

// clockBehind is how far the clock is behind the latest record that was applied. The log
// was then written under a clock that was ahead; timers wait for the clock to come there.
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

// tellReady tells the program that started this one that the addresses are this server's: who
// only asks an address may be answered by another.
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
