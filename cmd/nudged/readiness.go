package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"
)

// clockTolerance is how far the log may be ahead of the clock before it is said.
const clockTolerance = time.Second

// remark is something to know about the server's readiness.
type remark struct {
	short  string // names nobody and nothing: everybody may read it
	detail string // for who has the admin key; may be empty
}

// readiness is whether the server should get traffic, and what is not as it should be.
type readiness struct {
	missing  []remark // empty: it is ready
	warnings []remark // it is ready all the same
}

// reason is the first thing that is missing, for everybody.
func (r readiness) reason() error {
	if len(r.missing) == 0 {
		return nil
	}
	return errors.New(r.missing[0].short)
}

// ready says in few words why the server should not get traffic yet.
func (n *node) ready() error { return n.readiness().reason() }

func (n *node) readiness() readiness {
	var r readiness
	if !n.up.Load() {
		r.missing = append(r.missing, remark{short: "starting"})
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
		r.missing = append(r.missing, remark{"a partition has halted", strings.Join(halted, "; ")})
	}
	if behind != nil {
		r.missing = append(r.missing, remark{"catching up with the log", strings.Join(behind, ", ")})
	}
	failing := n.writer.Failing()
	rows := remark{short: "ClickHouse takes no rows"}
	if failing != nil {
		rows.detail = n.config.filter().Text(failing.Error())
	}
	switch {
	case !n.writer.Answered(): // whether rows can be written at all has not been seen yet
		rows.short = "ClickHouse has not answered since the start"
		r.missing = append(r.missing, rows)
	case failing != nil:
		r.warnings = append(r.warnings, rows)
	}
	r.warnings = append(r.warnings, n.clockWarnings()...)
	return r
}

// clockWarnings says what is wrong with the time.
func (n *node) clockWarnings() []remark {
	if _, err := n.clock.Now(); err != nil {
		return []remark{{"the clock has jumped", err.Error()}}
	}
	behind := n.clockBehind()
	if behind <= clockTolerance {
		return nil
	}
	return []remark{{
		fmt.Sprintf("the clock is %v behind the log: no timer is due before it is there", behind.Round(time.Second)),
		"set the machine's clock right, or wait; the log's time never goes back",
	}}
}

// clockBehind is how far the clock is behind the latest record that was applied. The log
// was then written under a clock that was ahead; timers wait for the clock to come there.
func (n *node) clockBehind() time.Duration {
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

// serveReady answers /readyz: for everybody in a few words, with ?verbose and the admin key
// with all that is known.
func (n *node) serveReady(w http.ResponseWriter, r *http.Request) {
	is := n.readiness()
	verbose := r.URL.Query().Has("verbose")
	status, text := http.StatusOK, "ready\n"
	if is.reason() != nil {
		status, text = http.StatusServiceUnavailable, ""
	}
	line := func(kind string, m remark) {
		text += kind + ": " + m.short
		if verbose && m.detail != "" {
			text += ": " + m.detail
		}
		text += "\n"
	}
	for _, m := range is.missing {
		line("not ready", m)
	}
	for _, m := range is.warnings {
		line("warning", m)
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text) // the client is gone when it fails
}

// tellReady tells the program that started this one that the addresses are this server's: who
// only asks an address may be answered by another.
func (n *node) tellReady() {
	if n.config.ReadyFD == 0 {
		return
	}
	pipe := os.NewFile(uintptr(n.config.ReadyFD), "ready-fd")
	if _, err := io.WriteString(pipe, "listening\n"); err != nil {
		n.log.Warn("ready_fd: nobody reads it", slog.Any("error", err))
	}
	_ = pipe.Close()
}
