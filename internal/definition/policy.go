package definition

import (
	"fmt"
	"sort"

	"github.com/nudge-engine/nudge/campaign"
)

// govern checks the policies that will be in force, those of the files and those known,
// against each other and against the campaigns that name their caps.
func govern(all []campaign.Parsed, where map[string]string, known Known) (errs []error) {
	policies := map[string]*campaign.Policy{}
	campaigns := map[string]*campaign.Program{}
	for _, p := range known.Policies {
		policies[p.Name] = p
	}
	for _, c := range known.Campaigns {
		campaigns[c.Name] = c
	}
	for i := range all {
		switch d := &all[i]; {
		case d.Policy != nil:
			policies[d.Policy.Name] = d.Policy
		case d.Campaign != nil:
			campaigns[d.Campaign.Name] = d.Campaign
		}
	}
	fail := func(kind, name, format string, args ...any) {
		place, ok := where[kind+"/"+name]
		if !ok {
			place = "in force already"
		}
		errs = append(errs, fmt.Errorf("%s: %s %s: %s", place, kind, name, fmt.Sprintf(format, args...)))
	}
	caps := onePolicy(policies, fail)
	checkCalendars(policies, campaigns, fail)
	for _, name := range sorted(campaigns) {
		for _, c := range campaigns[name].Policy.Caps {
			if caps[c] == "" {
				fail(campaign.KindCampaign, name,
					"policy.caps: cap %q is not defined; add it to a document of kind Policy", c)
			}
		}
	}
	return errs
}

// onePolicy checks that no two policies say different things; it returns the policy
// that defines each cap.
func onePolicy(
	policies map[string]*campaign.Policy, fail func(kind, name, format string, args ...any),
) map[string]string {
	caps := map[string]string{}
	zone, quiet, idle := "", "", ""
	for _, name := range sorted(policies) {
		p := policies[name]
		if p.Zone != "" && zone != "" {
			fail(campaign.KindPolicy, name, "zone is given already by Policy %s", zone)
		}
		if p.Quiet != nil && quiet != "" {
			fail(campaign.KindPolicy, name, "quiet_hours are given already by Policy %s", quiet)
		}
		if p.Idle != 0 && idle != "" {
			fail(campaign.KindPolicy, name, "anonymous_expiry is given already by Policy %s", idle)
		}
		if p.Idle != 0 && idle == "" {
			idle = name
		}
		if p.Zone != "" && zone == "" {
			zone = name
		}
		if p.Quiet != nil && quiet == "" {
			quiet = name
		}
		for i := range p.Caps {
			if first := caps[p.Caps[i].Name]; first != "" {
				fail(campaign.KindPolicy, name, "cap %q is defined already by Policy %s", p.Caps[i].Name, first)
				continue
			}
			caps[p.Caps[i].Name] = name
		}
	}
	return caps
}

func sorted[T any](m map[string]T) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}
