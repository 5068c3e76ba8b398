package parse

import (
	"go.yaml.in/yaml/v3"

	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/unit"
	"github.com/nudge-engine/nudge/campaign/zone"
)

// customerZone is the word for the usual order of zones: the customer's first.
const customerZone = "customer"

// policy reads the spec of a document of kind Policy, which holds for a whole workspace.
func (r *policyReader) policy(n *yaml.Node, p *program.Policy) {
	r.core.object(n, "policy",
		field{name: "zone", read: func(n *yaml.Node) {
			r.core.spot(Spot{Field: "zone"}, n)
			r.core.zone(n, "zone", &p.Zone)
		}},
		field{name: "quiet_hours", read: func(n *yaml.Node) {
			r.core.spot(Spot{Field: "quiet_hours"}, n)
			p.Quiet = r.quietHours(n, "quiet_hours")
		}},
		field{name: "require_consent", read: func(n *yaml.Node) {
			r.core.names(n, "require_consent", &p.RequireConsent)
			for _, category := range p.RequireConsent {
				if category == program.Transactional {
					r.core.fail(n, "require_consent: transactional ignores consent")
				}
			}
		}},
		field{name: "caps", read: func(n *yaml.Node) { r.caps(n, p) }},
		field{name: "calendars", read: func(n *yaml.Node) { r.calendars(n, p) }},
		field{name: "anonymous_expiry", read: func(n *yaml.Node) {
			r.core.spot(Spot{Field: "anonymous_expiry"}, n)
			r.anonymousExpiry(n, &p.Idle)
		}},
		field{name: "sends_off", read: func(n *yaml.Node) {
			r.core.object(n, "sends_off",
				field{name: "workspace", read: func(n *yaml.Node) {
					r.core.boolean(n, "sends_off.workspace", &p.Off.Workspace)
				}},
				field{name: "channels", read: func(n *yaml.Node) {
					r.core.names(n, "sends_off.channels", &p.Off.Channels)
				}},
				field{name: "campaigns", read: func(n *yaml.Node) {
					r.core.names(n, "sends_off.campaigns", &p.Off.Campaigns)
				}})
		}},
	)
}

// caps reads a list of {name, channel, category, limit} with either window or per.
func (r *policyReader) caps(n *yaml.Node, p *program.Policy) {
	named := map[string]bool{}
	r.core.list(n, "caps", maxListItems, func(n *yaml.Node) {
		var c program.Cap
		calendar, before := false, len(r.core.errs)
		r.core.object(n, "cap",
			field{name: "name", required: true, read: func(n *yaml.Node) {
				r.core.spot(Spot{Field: "cap", Name: n.Value}, n)
				if r.core.name(n, "cap.name", &c.Name); named[c.Name] {
					r.core.fail(n, "cap %q is defined twice", c.Name)
				}
				named[c.Name] = true
			}},
			field{name: "channel", read: func(n *yaml.Node) { r.core.name(n, "cap.channel", &c.Channel) }},
			field{name: "category", read: func(n *yaml.Node) {
				if r.core.name(n, "cap.category", &c.Category); c.Category == program.Transactional {
					r.core.fail(n, "cap.category: transactional ignores caps")
				}
			}},
			field{name: "limit", required: true, read: func(n *yaml.Node) {
				c.Limit = int(r.core.integer(n, "cap.limit", 1, maxCapLimit))
			}},
			field{name: "window", read: func(n *yaml.Node) { r.core.duration(n, "cap.window", &c.Window) }},
			field{name: "per", read: func(n *yaml.Node) {
				calendar = true
				c.Per = zone.Period(r.core.choice(n, "cap.per", "day", "week", "month"))
			}})
		// Both or neither.
		if calendar == (c.Window != 0) && len(r.core.errs) == before {
			r.core.fail(n, "cap: needs window or per, not both; for example window: 24h")
		}
		p.Caps = append(p.Caps, c)
	})
}

// quietHours reads {from, to, zone, on_quiet}. what names the object in messages.
func (r *policyReader) quietHours(n *yaml.Node, what string) *program.QuietHours {
	q := new(program.QuietHours)
	from, to := false, false
	r.core.object(n, what,
		field{name: "from", required: true, read: func(n *yaml.Node) {
			from = r.core.clock24(n, what+".from", &q.From)
		}},
		field{name: "to", required: true, read: func(n *yaml.Node) { to = r.core.clock24(n, what+".to", &q.To) }},
		field{name: "zone", read: func(n *yaml.Node) {
			if n.Value != customerZone {
				r.core.zone(n, what+".zone", &q.Zone)
			}
		}},
		field{name: "on_quiet", read: func(n *yaml.Node) {
			q.Drop = r.core.choice(n, what+".on_quiet", "hold", "drop") == 1
		}})
	if from && to && q.From%minutesPerDay == q.To%minutesPerDay {
		r.core.fail(n, "%s: from and to are the same; that would be all day", what)
	}
	// 24:00 is allowed as an end; as a beginning it is 0:00.
	q.From %= minutesPerDay
	return q
}

// minutesPerDay is the number of minutes that a clock shows in a day.
const minutesPerDay = 24 * 60

// campaignPolicy reads the field policy of a campaign.
func (r *policyReader) campaignPolicy(n *yaml.Node, p *program.CampaignPolicy) {
	r.core.object(n, "policy",
		field{name: "category", read: func(n *yaml.Node) { r.core.name(n, "policy.category", &p.Category) }},
		field{name: "priority", read: func(n *yaml.Node) {
			p.Priority = int(r.core.integer(n, "policy.priority", -maxPriority, maxPriority))
		}},
		field{name: "caps", read: func(n *yaml.Node) {
			r.core.names(n, "policy.caps", &p.Caps)
			for _, item := range n.Content {
				r.core.spot(Spot{Field: "cap", Name: item.Value}, item)
			}
		}},
		field{name: "quiet_hours", read: func(n *yaml.Node) { p.Quiet = r.quietHours(n, "policy.quiet_hours") }},
		field{name: "group", read: func(n *yaml.Node) { r.core.name(n, "policy.group", &p.Group) }},
		field{name: "preempt", read: func(n *yaml.Node) { r.core.boolean(n, "policy.preempt", &p.Preempt) }},
		field{name: "dedupe", read: func(n *yaml.Node) {
			p.Dedupe = new(program.Dedupe)
			r.core.object(n, "policy.dedupe",
				field{name: "key", required: true, read: func(n *yaml.Node) {
					r.core.expr(n, "policy.dedupe.key", false, &p.Dedupe.Key)
				}},
				field{name: "window", required: true, read: func(n *yaml.Node) {
					r.core.duration(n, "policy.dedupe.window", &p.Dedupe.Window)
				}})
		}},
		field{name: "holdout", read: func(n *yaml.Node) {
			p.Holdout = new(program.Holdout)
			r.core.object(n, "policy.holdout",
				field{name: "percent", required: true, read: func(n *yaml.Node) { p.Holdout.Below = r.percent(n) }},
				field{name: "salt", read: func(n *yaml.Node) {
					r.core.text(n, "policy.holdout.salt", &p.Holdout.Salt)
				}})
		}},
	)
	if p.Preempt && p.Group == "" {
		r.core.fail(n, "policy: preempt needs a group")
	}
}

// percent reads a share of at most two decimals as a number of buckets: 12.5 -> 1250. It counts in
// micros, since a double makes 28.999999999999996 of 0.29 * 100.
func (r *policyReader) percent(n *yaml.Node) int {
	if r.core.drawn(Shape{Kind: ShapeNumber, Low: 0, High: 100, Step: 0.01}) {
		return 0
	}
	const perBucket = unit.Money(100 * unit.MicrosPerUnit / program.Buckets)
	v, ok := unit.ParseMoney(n.Value)
	number := n.Kind == yaml.ScalarNode && (n.Tag == "!!int" || n.Tag == "!!float")
	if !number || !ok || v < 0 || v > 100*unit.MicrosPerUnit || v%perBucket != 0 {
		r.core.fail(n, "policy.holdout.percent must be a number from 0 to 100 with at most two decimals%s",
			numberHint(n))
		return 0
	}
	return int(v / perBucket)
}

// onCap reads what becomes of a send that a cap refuses.
func (r *stepReader) onCap(n *yaml.Node) program.OnCap {
	return program.OnCap(r.core.choice(n, "send.on_cap", "drop", "defer", "exit"))
}

// The greatest numbers that a policy may write.
const (
	// maxCapLimit bounds the deliveries that one cap allows, since a customer keeps the time of
	// each.
	maxCapLimit = 1000
	// maxPriority bounds priorities on both sides of 0.
	maxPriority = 1000
)

// anonymousExpiry reads a duration of at least an hour, or "never".
func (r *policyReader) anonymousExpiry(n *yaml.Node, into *int64) {
	if r.core.drawn(Shape{Kind: ShapeAny, Any: []Shape{
		{Kind: ShapeWord, Words: []string{"never"}}, {Kind: ShapeDuration},
	}}) {
		return
	}
	if n.Value == "never" {
		*into = program.NeverIdle
		return
	}
	if r.core.duration(n, "anonymous_expiry", into); *into != 0 && *into < program.MinIdle {
		r.core.fail(n, "anonymous_expiry: must be at least 1h, or never")
	}
}
