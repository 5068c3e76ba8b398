package lint

import (
	"cmp"
	"path"
	"slices"
	"strconv"
	"strings"
)

// wall forbids a part of the tree certain imports within the module. A folder stands for
// everything below it, "." for the whole module.
type wall struct {
	// around are the folders whose files are restricted.
	around []string
	// except are folders among them that are not.
	except []string
	// never are the folders that they must not import.
	never []string
	// but are folders among those that they may import.
	but []string
	// only, if set, are all folders of the module that they may import.
	only []string
	// tests extends the restriction to test files.
	tests bool
	// instead says what to do in place of the import.
	instead string
}

// walls returns the rules of docs/architecture.md on which folder may import which. The
// imports of other modules are restricted in .golangci.yml (depguard).
func walls() []wall {
	return slices.Concat(languageWalls(), []wall{
		{
			around: []string{"."}, except: []string{"cmd"}, never: []string{"cmd"}, tests: true,
			instead: "commands are leaves: move the code into a package",
		},
		{
			around: []string{"."}, except: []string{"cmd", "server", "ops", "bench"}, never: []string{"server", "ops"},
			tests: true, instead: "servers and tools are made of the engine: pass a function, or move it below",
		},
		{
			around: []string{"ops"}, never: []string{"server", "sim", "bench"}, tests: true,
			instead: "a tool asks a server over HTTP, or opens the data of one that is stopped",
		},
		{
			around: []string{"server"}, never: []string{"ops", "sim", "bench", "internal/simulate"},
			instead: "the server runs campaigns; tools and tests try them",
		},
		{
			around: []string{"message"}, only: []string{"campaign", "message", "internal/wire"}, tests: true,
			instead: "texts are rendered from values; pass them in",
		},
		{
			around: []string{"actors/shard"},
			only: []string{
				"actors/shard", "campaign", "internal/clip", "internal/effect", "internal/wire", "storage", "stream",
			},
			instead: "the shard is pure: it is handed values and functions by the shell",
		},
		{
			around: []string{"actors/recovery"}, never: []string{"actors", "sink", "ingest"}, but: []string{
				"actors/recovery", "actors/shard",
			},
			instead: "recovery is asked by the shell and by the simulation; it knows neither",
		},
		{
			around: []string{"sim"}, never: []string{"actors"}, but: []string{
				"actors/recovery", "actors/shard",
			}, tests: true,
			instead: "the simulation is a shell of its own: it drives shard.Owner",
		},
	})
}

// importWalls finds imports within the module that a wall forbids. A wall keeps a layer usable on
// its own: what the engine does not import, it cannot come to depend on. For example, package
// message renders texts from values, so it must not import the engine.
func importWalls(repo *Repo) []Finding {
	module := modulePath(repo)
	var findings []Finding
	for _, file := range repo.Go {
		from := path.Dir(file.Path)
		for _, spec := range file.AST.Imports {
			imported, _ := strconv.Unquote(spec.Path.Value)
			to, ok := strings.CutPrefix(imported, module+"/")
			if !ok {
				continue
			}
			// Each wall is asked by itself, so one import can be two findings.
			for _, w := range walls() {
				if (w.tests || !file.isTest()) && w.forbids(from, to) {
					findings = append(findings, repo.at(file, spec.Pos(), from+" imports "+to, w.instead))
				}
			}
		}
	}
	return findings
}

// forbids reports whether a file in the folder from must not import the folder to.
func (w *wall) forbids(from, to string) bool {
	if !inAny(from, w.around) || inAny(from, w.except) {
		return false
	}
	// A folder may be named by both lists; then but makes the exception.
	return inAny(to, w.never) && !inAny(to, w.but) || w.only != nil && !inAny(to, w.only)
}

// inAny reports whether a folder is one of others, or is below one.
func inAny(folder string, others []string) bool {
	return slices.ContainsFunc(others, func(other string) bool {
		return other == "." || folder == other || strings.HasPrefix(folder, other+"/")
	})
}

// modulePath returns the name of the module in go.mod; "module" where there is none, as in
// the trees that tests make.
func modulePath(repo *Repo) string {
	name := ""
	for _, text := range repo.Texts {
		if text.Path != "go.mod" {
			continue
		}
		for line := range strings.Lines(text.Data) {
			if module, ok := strings.CutPrefix(line, "module "); ok {
				name = strings.TrimSpace(module)
			}
		}
	}
	return cmp.Or(name, "module")
}
