package message

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/nudge-engine/nudge/campaign/jsonvalue"
	"github.com/nudge-engine/nudge/campaign/nearest"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/message/liquid"
)

// roots are the variables that a template may use, up to their second part. Below traits,
// properties, context and variants come names that the author or the sender of the event
// chose.
//
//nudge:constant read only
var roots = []string{
	"customer.id", "customer.traits", "customer.timezone", "customer.tags", "customer.created_at", "trigger.id",
	"trigger.name", "trigger.time", "trigger.properties", "trigger.context", "chain.key", "chain.entered_at",
	"chain.variants", "campaign.name",
}

// Variables checks the texts of a message and returns the variables that they name, sorted
// by path. The engine captures them with each delivery, and drops a delivery that lacks one
// that is not optional.
//
// A variable is optional where the texts only test it, give it a default, or use it inside
// of a test for it. The fallback of another variable is needed only where that one is
// missing (Unless). It is an error where a text does not parse, names a variable that does
// not exist, or cannot be rendered with any values.
func (r *Renderer) Variables(fields []program.Field) ([]program.Variable, error) {
	needs := map[program.Variable]bool{} // without Optional
	optional := map[string]bool{}        // by path
	for _, f := range fields {
		t, err := r.parsed.of(f.Source)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
		for _, v := range t.Names().Variables {
			// The caller of Render gives "now", so it is not captured.
			if len(v.Parts) == 1 && v.Parts[0] == liquid.Now {
				continue
			}
			path, err := captured(&v)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", f.Name, err)
			}
			if v.Optional {
				optional[path] = true
				continue
			}
			need := program.Variable{Path: path}
			if v.Unless != nil {
				need.Unless = jsonvalue.JoinPath(v.Unless...)
			}
			needs[need] = true
		}
	}
	variables := make([]program.Variable, 0, len(needs)+len(optional))
	// A variable that one text always needs is needed, whatever the other texts do with it.
	for v := range needs {
		// A variable that is needed in any case need not be listed with an Unless as well.
		if always := (program.Variable{Path: v.Path}); v == always || !needs[always] {
			variables = append(variables, v)
		}
		delete(optional, v.Path)
	}
	for path := range optional {
		variables = append(variables, program.Variable{Path: path, Optional: true})
	}
	slices.SortFunc(variables, func(a, b program.Variable) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), strings.Compare(a.Unless, b.Unless))
	})
	// Exceeding the limits is a warning, not an error: it harms nobody but the message
	// itself.
	var limit *liquid.LimitError
	if err := r.try(fields, variables); err != nil && !errors.As(err, &limit) {
		return nil, err
	}
	return variables, nil
}

// captured returns the path of the value that the engine captures for a variable of a
// template. It is shorter than the variable where only the whole can be captured, as for
// customer.tags.size.
func captured(v *liquid.Variable) (string, error) {
	unknown := func(what string) error {
		return &liquid.Error{Line: v.Line, Message: fmt.Sprintf("%q is no variable; there are %s%s", what,
			strings.Join(roots, ", "), meant(v.Parts))}
	}
	some := slices.ContainsFunc(roots, func(r string) bool { return strings.HasPrefix(r, v.Parts[0]+".") })
	if !some || len(v.Parts) == 1 {
		return "", unknown(v.Parts[0])
	}
	root := v.Parts[0] + "." + v.Parts[1]
	inner := v.Parts[2:]
	switch {
	case !slices.Contains(roots, root):
		return "", unknown(v.Text)
	case holdsNames(root) && len(inner) == 0 && !v.Cut && v.Text == root:
		return "", unknown(root)
	case holdsNames(root) && len(inner) == 0 && !v.Cut:
		return "", unknown(v.Parts[0])
	case holdsNames(root) && (len(inner) == 0 || inner[0] == ""):
		return "", &liquid.Error{Line: v.Line, Message: fmt.Sprintf(
			"%s: write the name out, as %s.name or %s['Full Name']", v.Text, root, root)}
	case holdsNames(root):
		return jsonvalue.JoinPath(v.Parts...), nil
	case len(inner) == 0:
		return root, nil
	case len(inner) == 1 && slices.Contains([]string{"size", "first", "last"}, inner[0]):
		return root, nil
	}
	return "", unknown(v.Text)
}

// meant returns what to write in place of a variable that does not exist, as the end of a
// message; empty where that cannot be guessed.
func meant(parts []string) string {
	first := []string{"customer", "trigger", "chain", "campaign"}
	switch root := nearest.Name(parts[0], first); {
	case parts[0] == "event":
		return "; write " + strings.Join(append([]string{"trigger"}, parts[1:]...), ".")
	case len(parts) == 1 && !slices.Contains(first, parts[0]):
		return fmt.Sprintf("; write customer.traits.%s, or trigger.properties.%s", parts[0], parts[0])
	case len(parts) > 1 && slices.Contains(first, parts[0]):
		root, rest := parts[0]+"."+parts[1], strings.Join(parts[1:], ".")
		var fields []string
		for _, r := range roots {
			if field, ok := strings.CutPrefix(r, parts[0]+"."); ok {
				fields = append(fields, field)
			}
		}
		near := nearest.Name(parts[1], fields)
		inside := map[string]string{"customer": "traits", "trigger": "properties"}[parts[0]]
		switch {
		case near != "" && !slices.Contains(roots, root):
			return fmt.Sprintf("; did you mean %q?", strings.Join(append([]string{parts[0], near}, parts[2:]...), "."))
		case inside != "" && !slices.Contains(roots, root):
			return fmt.Sprintf("; write %s.%s.%s", parts[0], inside, rest)
		}
	case root != "" && len(parts) > 1:
		return fmt.Sprintf("; did you mean %q?", root+"."+strings.Join(parts[1:], "."))
	}
	return ""
}

// holdsNames reports whether a root is an object whose members are named by the author or
// the sender.
func holdsNames(root string) bool {
	return strings.HasSuffix(root, "traits") || strings.HasSuffix(root, "properties") ||
		strings.HasSuffix(root, "context") || strings.HasSuffix(root, "variants")
}

// Warnings returns what the author of a message should know although it is no error: loops
// whose length comes from values, and texts that exceed the limits with every sample.
func (r *Renderer) Warnings(fields []program.Field) []string {
	var all []string
	for _, f := range fields {
		t, err := r.parsed.of(f.Source)
		if err != nil {
			return nil // an error says so already
		}
		for _, l := range t.Names().Loops {
			all = append(all, fmt.Sprintf("%s: the length of %s comes from values: a large one exceeds the limits, "+
				"and then there is no message; write limit: 10 behind it, or assign the end with | at_most: 10",
				f.Name, l))
		}
	}
	variables, err := r.Variables(fields)
	if err != nil {
		return all
	}
	if err := r.try(fields, variables); err != nil {
		all = append(all, err.Error())
	}
	return all
}
