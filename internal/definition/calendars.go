package definition

import "github.com/nudge-engine/nudge/campaign"

// checkCalendars checks that each calendar is defined once, and that those which campaigns
// name are.
func checkCalendars(
	policies map[string]*campaign.Policy, campaigns map[string]*campaign.Program,
	fail func(kind, name, format string, args ...any),
) {
	calendars := map[string]string{}
	for _, name := range sorted(policies) {
		for _, c := range policies[name].Calendars {
			if first := calendars[c.Name]; first != "" {
				fail(campaign.KindPolicy, name, "calendar %q is defined already by Policy %s", c.Name, first)
				continue
			}
			calendars[c.Name] = name
		}
	}
	for _, name := range sorted(campaigns) {
		t, ok := campaigns[name].Trigger.(*campaign.ScheduleTrigger)
		if ok && t.Calendar != "" && calendars[t.Calendar] == "" {
			fail(campaign.KindCampaign, name,
				"trigger.schedule: calendar %q is not defined; add it to a document of kind Policy", t.Calendar)
		}
	}
}
