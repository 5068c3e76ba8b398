package definition

import (
	"github.com/nudge-engine/nudge/campaign/nearest"
	"github.com/nudge-engine/nudge/campaign/parse"
	"github.com/nudge-engine/nudge/campaign/program"
)

// checkCalendars checks that each calendar is defined once, and that the calendars which
// campaigns name are defined. order has the names of the policies, those in force first, so
// that of two definitions the one in the files is reported. The names of campaigns are not
// checked where a policy could not be read (unread), because the calendar may be in it.
func checkCalendars(
	order []string, policies map[string]*program.Policy, campaigns map[string]*program.Program, unread bool,
	fail failure,
) {
	calendars := map[string]string{}
	for _, name := range order {
		// calendars maps each calendar to the policy that defines it.
		for _, c := range policies[name].Calendars {
			if c.Name == "" {
				continue // there is an error already
			}
			if first := calendars[c.Name]; first != "" {
				fail(program.KindPolicy, name, parse.Spot{Field: "calendar", Name: c.Name},
					"calendar %q is defined already by Policy %s", c.Name, first)
				continue
			}
			calendars[c.Name] = name
		}
	}
	if unread {
		return
	}
	for _, name := range sorted(campaigns) {
		t, ok := campaigns[name].Trigger.(*program.ScheduleTrigger)
		if ok && t.Calendar != "" && calendars[t.Calendar] == "" {
			fail(program.KindCampaign, name, parse.Spot{Field: "calendar"},
				"trigger.schedule: calendar %q is not defined; add it to a document of kind Policy%s", t.Calendar,
				nearest.Hint(t.Calendar, sorted(calendars)))
		}
	}
}
