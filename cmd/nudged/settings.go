package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"

	"github.com/alecthomas/kong"
	"go.yaml.in/yaml/v3"

	"github.com/nudge-engine/nudge/internal/secret"
	"github.com/nudge-engine/nudge/server"
)

// printSettings writes the settings as a configuration file, each with its help and its
// variable as a comment above it. Secrets that are set are comments themselves, with their
// value hidden, so that the file can be given back without replacing them.
func printSettings(out io.Writer, settings *server.Settings) error {
	// The fields of the struct are the settings; their tags say the rest.
	v := reflect.ValueOf(*settings)
	for i := range v.NumField() {
		f := v.Type().Field(i)
		value := fmt.Sprint(v.Field(i).Interface())
		// Lists are written with commas, as flags and variables have them.
		if list, ok := v.Field(i).Interface().([]string); ok {
			value = strings.Join(list, ",")
		}
		text, err := yaml.Marshal(map[string]string{settingName(f): value})
		if err != nil {
			return fmt.Errorf("config: %w", err)
		}
		hidden := false
		switch setting := v.Field(i).Interface().(type) {
		case secret.Text:
			hidden = setting != ""
		// A URL with a password in it is a secret, one without is not.
		case secret.URL:
			hidden = !setting.Open()
		}
		if hidden {
			// As a comment it is not given back.
			text = fmt.Appendf(nil, "# %s: %s\n", settingName(f), value)
		}
		if _, err := fmt.Fprintf(out, "# %s (%s)\n%s", f.Tag.Get("help"), f.Tag.Get("env"), text); err != nil {
			return fmt.Errorf("config: %w", err)
		}
	}
	return nil
}

// settingName returns a setting's name in the file: its environment variable without the
// prefix, in lower case.
func settingName(f reflect.StructField) string {
	return strings.ToLower(strings.TrimPrefix(f.Tag.Get("env"), "NUDGE_"))
}

// fileResolver takes settings from the YAML file that --config-file or the environment names.
// What a flag or the environment sets goes before. kong asks resolvers while it parses, so the
// flag has to be found in args here. An error in the file is returned for the first setting
// that is asked for.
func fileResolver(args []string) kong.Resolver {
	path := os.Getenv("NUDGE_CONFIG_FILE")
	for i, a := range args {
		if v, ok := strings.CutPrefix(a, "--config-file="); ok {
			path = v
		} else if a == "--config-file" && i+1 < len(args) {
			path = args[i+1]
		}
	}
	var settings map[string]any
	var failure error
	if path != "" {
		settings, failure = readSettings(path)
	}
	return kong.ResolverFunc(func(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
		if failure != nil {
			return nil, failure
		}
		for _, env := range flag.Envs {
			if _, set := os.LookupEnv(env); set {
				return nil, nil //nolint:nilnil // kong's way to say: not from here
			}
		}
		if len(flag.Envs) == 0 {
			return nil, nil //nolint:nilnil // as above
		}
		v, ok := settings[strings.ToLower(strings.TrimPrefix(flag.Envs[0], "NUDGE_"))]
		if !ok {
			return nil, nil //nolint:nilnil // as above
		}
		// The file may have a real list, or a text with commas.
		if list, ok := v.([]any); ok {
			items := make([]string, len(list))
			for i, item := range list {
				items[i] = fmt.Sprint(item)
			}
			return strings.Join(items, ","), nil
		}
		return fmt.Sprint(v), nil
	})
}

// readSettings reads a file with settings, each under its name. A name that is no setting is
// an error: a misspelt limit would otherwise be no limit.
func readSettings(path string) (map[string]any, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("config file: %w", err)
	}
	settings := map[string]any{}
	if err := yaml.Unmarshal(text, &settings); err != nil {
		var wrong *yaml.TypeError
		// The text of this error repeats what is in the file, which may be a key.
		if errors.As(err, &wrong) {
			err = errors.New("it is no list of settings; write lines as partitions: 8")
		}
		return nil, fmt.Errorf("config file %s: %w", path, err)
	}
	known := map[string]bool{}
	t := reflect.TypeFor[server.Settings]()
	for i := range t.NumField() {
		known[settingName(t.Field(i))] = true
	}
	for name := range settings {
		if !known[name] {
			return nil, fmt.Errorf("config file %s: there is no setting %q; `nudged config` lists all", path, name)
		}
	}
	return settings, nil
}
