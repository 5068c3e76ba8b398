package lint

import (
	"cmp"
	"path"
	"slices"
	"strconv"
	"strings"
)

// wall keeps imports out of a part of the tree. A folder means all that lies in it, "." the
// whole module.
type wall struct {
	around  []string // folders whose files must not import what is named next
	except  []string // folders among them that may
	never   []string // folders of the module that are not imported
	but     []string // folders among them that may be
	only    []string // if set, all folders of the module that may be imported
	tests   bool     // the wall stands for test files too
	instead string
}

// walls are the rules of docs/architecture.md on who knows whom within the module. What
// other modules a folder may import is in .golangci.yml (depguard).
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

// importWalls refuses imports within the module that go through a wall.
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
			for _, w := range walls() {
				if (w.tests || !file.isTest()) && w.forbids(from, to) {
					findings = append(findings, repo.at(file, spec.Pos(), from+" imports "+to, w.instead))
				}
			}
		}
	}
	return findings
}

func (w *wall) forbids(from, to string) bool {
	if !inAny(from, w.around) || inAny(from, w.except) {
		return false
	}
	return inAny(to, w.never) && !inAny(to, w.but) || w.only != nil && !inAny(to, w.only)
}

// inAny reports whether a folder is, or lies in, one of the others.
func inAny(folder string, others []string) bool {
	return slices.ContainsFunc(others, func(other string) bool {
		return other == "." || folder == other || strings.HasPrefix(folder, other+"/")
	})
}

// modulePath is what go.mod calls the module; "module" where there is none.
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
