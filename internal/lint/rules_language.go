package lint

// languageWalls returns the walls between the layers of campaign (ADR 20), the lowest
// first: a package may import those of the layers before it and of its own layer, and
// nothing else of the module but two small helpers. parse is above all layers, and nothing
// of the engine imports it.
func languageWalls() []wall {
	var (
		all     []wall
		layers  []string
		allowed = []string{"internal/clip", "internal/wire"}
		instead = "the layers of campaign go one way; move the declaration down, or pass a value or a function"
	)
	// layer adds walls for the packages of one layer, which may import each other and all
	// layers that were added before.
	layer := func(names ...string) {
		for _, name := range names {
			layers = append(layers, "campaign/"+name)
		}
		for _, name := range names {
			all = append(all, wall{
				around: []string{"campaign/" + name}, only: append(allowed, layers...), instead: instead,
			})
		}
	}
	// The lowest layer first; the packages of one line may import each other.
	layer("unit", "jsonvalue", "zone", "nearest")
	layer("event")
	layer("output")
	layer("customer")
	layer("schedule")
	layer("expr")
	layer("program")
	layer("active", "trace", "winner")
	layer("machine")
	return append(all, wall{
		around: []string{"."}, never: []string{"campaign/parse", "campaign/yamltext"}, except: []string{
			"campaign", "cmd", "server", "ops", "sim", "bench", "presets",
			"internal/definition", "internal/schema", "internal/simulate",
		},
		instead: "only what reads definition files parses them; the engine is handed a compile function",
	})
}
