package audit

import (
	"fmt"
	"strconv"
	"strings"
)

// PolicyName is the name of the workspace's policy document.
const PolicyName = "house"

// YAML renders the policy as the document that a user would apply.
func (h WorkspacePolicy) YAML() string {
	var b strings.Builder
	b.WriteString("apiVersion: nudge/v1\nkind: Policy\nmetadata: {name: " + PolicyName + "}\nspec:\n")
	var f fields
	f = f.addIf(h.Zone != "", "zone", quote(h.Zone)).addIf(h.Keep, "anonymous_expiry", "never")
	f = f.addIf(h.Expire != 0, "anonymous_expiry", Duration(h.Expire))
	if h.Quiet != nil {
		f = f.add("quiet_hours", h.Quiet.yaml())
	}
	f = f.addIf(len(h.Consent) > 0, "require_consent", list(h.Consent))
	f = f.addIf(len(h.Calendars) > 0, "calendars", h.calendars())
	caps := make([]string, 0, len(h.Caps))
	for _, c := range h.Caps {
		v := fields{}.add("name", quote(c.Name)).addIf(c.Channel != "", "channel", quote(c.Channel))
		v = v.addIf(c.Category != "", "category", quote(c.Category)).add("limit", strconv.Itoa(c.Limit))
		v = v.addIf(c.Window != 0, "window", Duration(c.Window)).addIf(c.Per != "", "per", c.Per)
		caps = append(caps, "{"+v.text()+"}")
	}
	f = f.add("caps", "["+strings.Join(caps, ", ")+"]")
	off := fields{}.add("workspace", strconv.FormatBool(h.OffAll)).add("channels", list(h.OffChannels))
	f = f.add("sends_off", "{"+off.add("campaigns", list(h.OffCampaigns)).text()+"}")
	for _, line := range f {
		b.WriteString("  " + line + "\n")
	}
	return b.String()
}

func (h WorkspacePolicy) calendars() string {
	all := make([]string, 0, len(h.Calendars))
	for _, c := range h.Calendars {
		all = append(all, c.yaml())
	}
	return "[" + strings.Join(all, ", ") + "]"
}

func (c Calendar) yaml() string {
	return "{" + fields{}.add("name", quote(c.Name)).add("dates", list(c.Dates)).text() + "}"
}

func (q *Quiet) yaml() string {
	f := fields{}.add("from", ofDay(q.From)).add("to", ofDay(q.To)).addIf(q.Zone != "", "zone", quote(q.Zone))
	return "{" + f.addIf(q.Drop, "on_quiet", "drop").text() + "}"
}

func list(names []string) string {
	quoted := make([]string, 0, len(names))
	for _, n := range names {
		quoted = append(quoted, quote(n))
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

func ofDay(minute int) string { return fmt.Sprintf(`"%02d:%02d"`, minute/60, minute%60) }
