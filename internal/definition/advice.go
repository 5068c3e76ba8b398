package definition

import (
	"fmt"
	"slices"
	"strings"

	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/parse"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/unit"
	"github.com/nudge-engine/nudge/message"
)

// Advice is something that is allowed and probably not meant.
type Advice struct {
	Campaign string
	Message  string
}

// Advise looks at campaigns one by one and in pairs. The samples say what events are
// known to carry, beside what scenarios and steps among the documents show.
func Advise(docs []parse.Parsed, samples ...Sample) []Advice {
	var all []Advice
	var programs []*program.Program
	var parsed []*parse.Parsed
	caps := map[string]*program.Cap{}
	templates := map[string][]program.Field{}
	for i := range docs {
		switch d := &docs[i]; {
		case d.Template != nil:
			templates[d.Template.Name] = d.Template.Fields
		case d.Campaign != nil:
			programs = append(programs, d.Campaign)
			parsed = append(parsed, d)
		case d.Policy != nil:
			for j := range d.Policy.Caps {
				caps[d.Policy.Caps[j].Name] = &d.Policy.Caps[j]
			}
		}
	}
	known, renderer := sources(docs, samples), message.NewRenderer()
	for i, p := range programs {
		say := func(format string, args ...any) {
			all = append(all, Advice{Campaign: p.Name, Message: fmt.Sprintf(format, args...)})
		}
		adviseGoals(p, say)
		adviseStops(p, say)
		adviseAudience(p, say)
		adviseCaps(p, caps, say)
		adviseVariables(parsed[i], known, say)
		adviseTexts(p, templates, renderer, say)
		for _, other := range programs[i+1:] {
			adviseTwins(p, other, say)
		}
	}
	return all
}

// adviseGoals finds sends that come when no goal can be credited any more.
func adviseGoals(p *program.Program, say func(string, ...any)) {
	earliest := p.Earliest()
	for i := range p.Goals {
		g := &p.Goals[i]
		if g.Window == 0 || g.FromDelivery {
			continue
		}
		p.Sends(func(step string, _ *program.Send) {
			if at, reached := earliest[step]; reached && at > g.Window {
				say("step %s sends after %s at the earliest, when the window of goal %s (%s) is over: "+
					"make the window longer, or count it from: delivery", step, unit.FormatDuration(at), g.ID,
					unit.FormatDuration(g.Window))
			}
		})
	}
}

// adviseStops finds stop rules of a chain that never rests.
func adviseStops(p *program.Program, say func(string, ...any)) {
	if len(p.Stops) > 0 && !p.Rests() {
		say("stop can never happen: no step waits, so a chain is over in the record that starts it")
	}
}

// adviseAudience finds conditions that trigger and audience both ask.
func adviseAudience(p *program.Program, say func(string, ...any)) {
	if p.Audience == nil {
		return
	}
	asked := conjuncts(p.TriggerWhere())
	for _, c := range conjuncts(p.Audience.Source) {
		if slices.Contains(asked, c) {
			say("trigger and audience both ask %q: leave it where it belongs, once", c)
		}
	}
}

// adviseTexts finds messages that exceed the limits of templates, or would with large values.
func adviseTexts(p *program.Program, templates map[string][]program.Field, r *message.Renderer,
	say func(string, ...any),
) {
	p.Sends(func(step string, s *program.Send) {
		fields := s.Message.Fields
		if s.Message.Template != "" {
			fields = templates[s.Message.Template]
		}
		for _, warning := range r.Warnings(fields) {
			say("step %s: %s", step, warning)
		}
	})
}

// conjuncts are the parts of a condition that && joins at the outermost level.
func conjuncts(source string) []string {
	var parts []string
	depth, start := 0, 0
	quote := byte(0)
	for i := 0; i < len(source); i++ {
		switch c := source[i]; {
		case quote != 0:
			switch c {
			case '\\':
				i++
			case quote:
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case strings.IndexByte("([{", c) >= 0:
			depth++
		case strings.IndexByte(")]}", c) >= 0:
			depth--
		case depth == 0 && strings.HasPrefix(source[i:], "||"):
			return []string{normal(source)} // not a conjunction
		case depth == 0 && strings.HasPrefix(source[i:], "&&"):
			parts = append(parts, normal(source[start:i]))
			start = i + 2
		}
	}
	if rest := normal(source[start:]); rest != "" {
		parts = append(parts, rest)
	}
	return parts
}

func normal(source string) string { return strings.Join(strings.Fields(source), " ") }

// adviseTwins finds campaigns that send to the same customers over the same channel
// at the same occasion.
func adviseTwins(a, b *program.Program, say func(string, ...any)) {
	if a.Status != program.StatusActive || b.Status != program.StatusActive {
		return
	}
	if a.TriggerText() != b.TriggerText() || sourceOf(a.Audience) != sourceOf(b.Audience) ||
		a.Policy.Category != b.Policy.Category { // an order's receipt and its offers are meant to be two
		return
	}
	for _, channel := range channelsOf(a) {
		if slices.Contains(channelsOf(b), channel) {
			say("campaign %s has the same trigger and audience and sends over %s too: a customer gets both",
				b.Name, channel)
		}
	}
}

func sourceOf(e *expr.Expr) string {
	if e == nil {
		return ""
	}
	return normal(e.Source)
}

func channelsOf(p *program.Program) []string {
	var all []string
	p.Sends(func(_ string, s *program.Send) {
		for _, c := range s.Channels {
			if !slices.Contains(all, c) {
				all = append(all, c)
			}
		}
	})
	return all
}
