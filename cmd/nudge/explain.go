package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/nudge-engine/nudge/campaign/nearest"
	"github.com/nudge-engine/nudge/campaign/trace"
	"github.com/nudge-engine/nudge/campaign/unit"
	"github.com/nudge-engine/nudge/internal/explain"
	"github.com/nudge-engine/nudge/internal/pathid"
	"github.com/nudge-engine/nudge/ops/datadir"
	"github.com/nudge-engine/nudge/ops/timetravel"
)

// explainCommand is `nudge explain`: why a customer got a message or did not, at present from
// a running server, or in the past from the log of a stopped one.
type explainCommand struct {
	adminAddress `embed:""`
	ID           string `arg:"" optional:"" help:"Customer id; anonymous ones begin with anon:."`
	// Customer is the flag that earlier versions had in place of the argument.
	Customer string `hidden:"" placeholder:"ID" help:"The same as the argument, as earlier versions had it."`
	Campaign string `placeholder:"NAME" help:"Explain only this campaign."`
	Data     string `placeholder:"DIR" help:"Data directory of a server that is not running: explain the past from its log."`
	// From and Until bound what is shown, not what is replayed.
	From  string `placeholder:"TIME" help:"With --data: leave out what was before this instant (RFC 3339)."`
	Until string `placeholder:"TIME" help:"With --data: leave out what was after this instant (RFC 3339)."`
	JSON  bool   `name:"json" help:"Write JSON."`
}

func (e *explainCommand) Help() string {
	return `Says why a customer was or was not sent something: each rule that was asked, in
order, with the values compared at that instant, and the decisions that followed.

Of a running server it explains the present: what each campaign would answer to an
entry now, where chains stand and what they wait for, what the gates of the next
send say, and the last decisions. With --data it explains the past of a stopped
server, as far as its log reaches; the first lines say from when.

Example:
  nudge explain ann --campaign cart-abandoned --data data`
}

// Run checks the flags and chooses between present and past. The customer may be given twice,
// as argument and flag, if it is the same one.
func (e *explainCommand) Run(out console) error {
	if e.ID = cmp.Or(e.ID, e.Customer); e.ID == "" || e.Customer != "" && e.Customer != e.ID {
		return errors.New("one customer is needed, for example: nudge explain ann")
	}
	if e.Data == "" {
		if e.From != "" || e.Until != "" {
			return errors.New("--from and --until need --data: a running server explains the present")
		}
		return e.present(out)
	}
	from, err := instant("--from", e.From)
	if err != nil {
		return err
	}
	until, err := instant("--until", e.Until)
	if err != nil {
		return err
	}
	return e.past(out, from, until)
}

// present asks the server how the customer stands now.
func (e *explainCommand) present(out console) error {
	path := "/v1/customers/" + pathid.Escape(e.ID) + "/explain"
	if e.Campaign != "" {
		path += "?campaign=" + url.QueryEscape(e.Campaign)
	}
	text, err := e.call(http.MethodGet, path, nil)
	if err != nil {
		return err
	}
	var x explain.Explanation
	if err := json.Unmarshal(text, &x); err != nil {
		return fmt.Errorf("the server's answer cannot be read: %w", err)
	}
	return show(out, &x, e.JSON)
}

// past replays the log of a stopped server from its oldest state and shows what was decided
// about the customer between from and until (ms; 0: no limit). The whole reach is replayed,
// also what --from leaves out, because the state at an instant depends on everything before.
func (e *explainCommand) past(out console, from, until int64) (err error) {
	dir, err := datadir.Open(e.Data, errorsOnly(out))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dir.Close()) }()
	ctx := context.Background()
	r, err := timetravel.New(ctx, dir, e.ID)
	if err != nil {
		return err
	}
	// A campaign that was archived long ago has a past too, so it is looked for in all control
	// records.
	if all := dir.Campaigns(); e.Campaign != "" && !slices.Contains(all, e.Campaign) {
		return fmt.Errorf("there never was a campaign %s%s", e.Campaign, nearest.Hint(e.Campaign, all))
	}
	trace := trace.NewTrace(dir.Language, datadir.Workspace, e.ID, e.Campaign)
	// 0: as far back as the log and the checkpoints go.
	if err := r.Begin(ctx, 0, trace); err != nil {
		return err
	}
	if err := runReplay(ctx, out, r, 0); err != nil {
		return err
	}
	if r.View() == nil {
		return fmt.Errorf("no event of customer %s was seen", e.ID)
	}
	x := explain.Of(trace, from, until)
	x.Reach, x.Until = unit.FormatTime(r.Since()), unit.FormatTime(r.Now())
	return show(out, x, e.JSON)
}

// show prints an explanation as text or JSON.
func show(out console, x *explain.Explanation, asJSON bool) error {
	if asJSON {
		return x.JSON(out.out)
	}
	return x.Text(out.out)
}

// instant reads an RFC 3339 time as ms since 1970; 0 for an empty text. The error names the
// flag.
func instant(flag, text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return 0, fmt.Errorf("%s %q is no time; write for example 2026-03-01T10:00:00Z", flag, text)
	}
	return t.UnixMilli(), nil
}
