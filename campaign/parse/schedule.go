package parse

import (
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/schedule"
)

// broadcast reads {event, audience}.
func (r *triggerReader) broadcast(n *yaml.Node) *program.BroadcastTrigger {
	t := new(program.BroadcastTrigger)
	r.core.object(n, "trigger.broadcast",
		field{name: "event", required: true, read: func(n *yaml.Node) {
			if r.core.text(n, "event", &t.Event); strings.HasPrefix(t.Event, "$") {
				r.core.fail(n, `event: names that begin with "$" are reserved`)
			}
		}},
		field{name: "audience", read: func(n *yaml.Node) { r.core.expr(n, "audience", true, &t.Audience) }})
	return t
}

// schedule reads either {cron, zone} or {calendar, at, zone}.
func (r *triggerReader) schedule(n *yaml.Node) *program.ScheduleTrigger {
	t := new(program.ScheduleTrigger)
	cron, at := false, false
	r.core.object(n, "trigger.schedule",
		field{name: "calendar", read: func(n *yaml.Node) {
			r.core.spot(Spot{Field: "calendar"}, n)
			r.core.name(n, "calendar", &t.Calendar)
		}},
		field{name: "at", read: func(n *yaml.Node) {
			at = true
			r.core.clock24(n, "trigger.schedule.at", &t.At)
		}},
		field{name: "cron", read: func(n *yaml.Node) {
			cron = true
			if r.core.text(n, "cron", &t.Text); t.Text == "" {
				return
			}
			var err error
			if t.Cron, err = schedule.ParseCron(t.Text); err != nil {
				r.core.fail(n, "cron: %v", err)
			}
		}},
		field{name: "zone", read: func(n *yaml.Node) {
			if n.Value != program.ZoneDefault {
				r.core.zone(n, "zone", &t.Zone)
			}
		}})
	r.checkSchedule(n, t, cron, at)
	return t
}

// checkSchedule checks what the fields of a schedule say together.
func (r *triggerReader) checkSchedule(n *yaml.Node, t *program.ScheduleTrigger, cron, at bool) {
	switch {
	case cron == (t.Calendar != ""):
		r.core.fail(n, `trigger.schedule: needs cron or calendar, not both; for example cron: "0 9 * * mon"`)
	case at && t.Calendar == "":
		r.core.fail(n, "trigger.schedule: at goes with calendar; cron says the time itself")
	case t.Calendar != "":
		t.Text = "calendar " + t.Calendar
	}
}
