package definition

import (
	"slices"
	"strings"

	"github.com/nudge-engine/nudge/campaign/nearest"
	"github.com/nudge-engine/nudge/campaign/parse"
	"github.com/nudge-engine/nudge/campaign/program"
)

// categoriesIn returns the categories that a campaign names, its own first, each once.
func categoriesIn(p *program.Program) []string {
	var all []string
	add := func(category string) {
		if category != "" && !slices.Contains(all, category) {
			all = append(all, category)
		}
	}
	add(p.Policy.Category)
	p.Sends(func(_ string, s *program.Send) { add(s.Category) })
	return all
}

// categoriesOf counts the campaigns that name each category. A category that needs no second
// campaign, because it is built in or a cap names it, counts as if two more did.
func categoriesOf(docs []parse.Parsed) map[string]int {
	uses := map[string]int{program.Marketing: 2, program.Transactional: 2}
	for i := range docs {
		switch d := &docs[i]; {
		case d.Campaign != nil:
			for _, category := range categoriesIn(d.Campaign) {
				uses[category]++
			}
		case d.Policy != nil:
			for _, c := range d.Policy.Caps {
				if c.Category != "" {
					uses[c.Category] += 2
				}
			}
		}
	}
	return uses
}

// adviseCategories finds categories that are probably misspelt. Any word is a category, so such a
// campaign asks for another consent than was meant, and no cap counts it. For example, "newsleter"
// in one campaign beside "newsletter" in three.
func adviseCategories(p *program.Program, uses map[string]int, say func(string, ...any)) {
	for _, category := range categoriesIn(p) {
		if uses[category] > 1 {
			continue
		}
		var others []string
		for name, n := range uses { //nudge:unordered sorted below
			// remarketing is a category of its own beside marketing.
			if n > 1 && !strings.Contains(name, category) && !strings.Contains(category, name) {
				others = append(others, name)
			}
		}
		slices.Sort(others)
		if hint := nearest.Hint(category, others); hint != "" {
			say("category %q is that of no other campaign and of no cap%s", category, hint)
		}
	}
}
