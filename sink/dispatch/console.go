package dispatch

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/nudge-engine/nudge/campaign/output"
)

// Console is a channel that prints each delivery as a line, for trying things out.
type Console struct {
	mu  sync.Mutex
	out io.Writer
}

// NewConsole returns a channel that prints to out.
func NewConsole(out io.Writer) *Console { return &Console{out: out} }

// Send implements Channel.
func (c *Console) Send(_ context.Context, o *Outgoing) Outcome {
	c.mu.Lock()
	defer c.mu.Unlock()
	d := &o.Delivery
	var line strings.Builder
	fmt.Fprintf(&line, "%s  send  %s/%s  to %s", time.UnixMilli(d.At).UTC().Format("15:04:05.000"), d.Campaign, d.Step,
		printable(d.Customer))
	for _, f := range o.Message {
		fmt.Fprintf(&line, "  %s=%q", f.Name, f.Source)
	}
	if _, err := fmt.Fprintln(c.out, line.String()); err != nil {
		return Outcome{Verdict: output.Temporary, Detail: err.Error()}
	}
	return Outcome{Verdict: output.Accepted}
}

// printable returns a text as it is when all of it can be printed, else quoted with escapes: an
// id that somebody sent must not drive the terminal.
func printable(text string) string {
	if strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(text)
	}
	return text
}
