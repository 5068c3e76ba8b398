package lint

// Rule is one property of the source tree. Check returns the places at which a tree lacks it; a
// rule without findings holds.
type Rule struct {
	Name  string
	Check func(*Repo) []Finding
}

// Rules returns all rules, in the order of the package comment.
func Rules() []Rule {
	return []Rule{
		{"parses", parses},
		{"package comment", packageComment},
		{"size", size},
		{"open ends", openEnds},
		{"one title", oneTitle},
		{"links", links},
		{"retired words", retiredWords},
		{"no sleep in tests", noSleepInTests},
		{"deterministic core", deterministicCore},
		{"sum types", sumTypes},
		{"names", names},
		{"package variables", packageVariables},
		{"machine paths", machinePaths},
		{"dependencies named", dependenciesNamed},
		{"tracked files", trackedFiles},
		{"import walls", importWalls},
		{"thin commands", noGoInCommands},
		{"package size", packageSize},
		{"comments", commentShare},
		{"methods", methodCount},
		{"parts", parts},
	}
}

// parses finds the Go files that do not parse.
func parses(repo *Repo) []Finding { return repo.broken }
