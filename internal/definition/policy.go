package definition

import (
	"errors"
	"fmt"
	"slices"
	"sort"

	"github.com/nudge-engine/nudge/campaign/nearest"
	"github.com/nudge-engine/nudge/campaign/parse"
	"github.com/nudge-engine/nudge/campaign/program"
)

// checkPolicies checks the policies that will be in force, which are those of the files and the
// known ones, against each other, and the campaigns against the caps that they name. A
// document of the files replaces the known one of its name. A cap or calendar that is not
// defined is not reported while a policy could not be read (unread).
func checkPolicies(all []parse.Parsed, where map[string]*parse.Parsed, known Known, unread bool, p *problems) {
	// What will be in force: known documents, replaced by those of the files.
	policies := map[string]*program.Policy{}
	campaigns := map[string]*program.Program{}
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
	// fail reports an error at its place in the files, or without a place where the
	// document is in force and not in the files.
	fail := func(kind, name string, at parse.Spot, format string, args ...any) {
		text := fmt.Sprintf("%s %s: %s", kind, name, fmt.Sprintf(format, args...))
		if d := where[kind+"/"+name]; d != nil {
			p.add(d.Error(at, 0, "%s", text))
			return
		}
		p.others = append(p.others, errors.New("in force already: "+text))
	}
	// Those in force come first, so that what is wrong is wrong in the files.
	order := sorted(policies)
	slices.SortStableFunc(order, func(a, b string) int {
		return btoi(where[program.KindPolicy+"/"+a] != nil) - btoi(where[program.KindPolicy+"/"+b] != nil)
	})
	caps := onePolicy(order, policies, fail)
	checkCalendars(order, policies, campaigns, unread, fail)
	if unread {
		return
	}
	// In the order of names, so that the errors always come in the same order.
	for _, name := range sorted(campaigns) {
		for _, c := range campaigns[name].Policy.Caps {
			if caps[c] == "" && program.IsName(c) {
				fail(program.KindCampaign, name, parse.Spot{Field: "cap", Name: c},
					"policy.caps: cap %q is not defined; add it to a document of kind Policy%s", c,
					nearest.Hint(c, sorted(caps)))
			}
		}
	}
}

// btoi returns 1 for true and 0 for false.
func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// failure reports an error at a place of the document with that kind and name.
type failure func(kind, name string, at parse.Spot, format string, args ...any)

// onePolicy checks that no two policies contradict each other: time zone, quiet hours,
// expiry and each cap are given by one of them only, because the result must not depend on
// the order of the policies. The second one is reported. It returns the name of the policy
// that defines each cap.
func onePolicy(order []string, policies map[string]*program.Policy, fail failure) map[string]string {
	caps := map[string]string{}
	zone, quiet, idle := "", "", ""
	for _, name := range order {
		p := policies[name]
		// zone, quiet and idle are the names of the policies that gave each first.
		if p.Zone != "" && zone != "" {
			fail(program.KindPolicy, name, parse.Spot{Field: "zone"}, "zone is given already by Policy %s", zone)
		}
		if p.Quiet != nil && quiet != "" {
			fail(program.KindPolicy, name, parse.Spot{Field: "quiet_hours"},
				"quiet_hours are given already by Policy %s", quiet)
		}
		if p.Idle != 0 && idle != "" {
			fail(program.KindPolicy, name, parse.Spot{Field: "anonymous_expiry"},
				"anonymous_expiry is given already by Policy %s", idle)
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
			if p.Caps[i].Name == "" {
				continue // there is an error already
			}
			if first := caps[p.Caps[i].Name]; first != "" {
				fail(program.KindPolicy, name, parse.Spot{Field: "cap", Name: p.Caps[i].Name},
					"cap %q is defined already by Policy %s", p.Caps[i].Name, first)
				continue
			}
			caps[p.Caps[i].Name] = name
		}
	}
	return caps
}

// sorted returns the keys of m in order, so that errors do not depend on the order of a map.
func sorted[T any](m map[string]T) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}
