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

// Advice is about something in a campaign that is allowed but probably not meant. nudge check
// prints it as a warning, and it never keeps a campaign from being applied.
type Advice struct {
	Campaign string
	Message  string
}

// Advise looks at the campaigns among docs, one by one and in pairs, and returns what is
// probably not meant. docs must be free of errors. samples tell which properties events are
// known to have, in addition to what scenarios and steps in docs show.
func Advise(docs []parse.Parsed, samples ...Sample) []Advice {
	var all []Advice
	var programs []*program.Program
	var parsed []*parse.Parsed
	// Templates and caps are looked up by name, so they are collected first.
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
	known, renderer, categories := sources(docs, samples), message.NewRenderer(), categoriesOf(docs)
	for i, p := range programs {
		say := func(format string, args ...any) {
			all = append(all, Advice{Campaign: p.Name, Message: fmt.Sprintf(format, args...)})
		}
		adviseGoals(p, say)
		adviseStops(p, say)
		adviseAudience(p, say)
		adviseCaps(p, caps, say)
		adviseCategories(p, categories, say)
		adviseVariables(parsed[i], known, say)
		adviseTexts(p, templates, renderer, say)
		// Each pair is compared once.
		for _, other := range programs[i+1:] {
			adviseTwins(p, other, say)
		}
	}
	return all
}

// adviseGoals finds sends that come so late that no goal can be credited to them any more.
func adviseGoals(p *program.Program, say func(string, ...any)) {
	// A step that no path reaches has no earliest time, and no advice.
	earliest := p.Earliest()
	for i := range p.Goals {
		g := &p.Goals[i]
		// Without a window, or with one that begins at the delivery, no send is too late.
		if g.Window == 0 || g.FromDelivery {
			continue
		}
		// The window counts from the trigger, as does the earliest time at which a step can
		// be reached.
		p.Sends(func(step string, _ *program.Send) {
			if at, reached := earliest[step]; reached && at > g.Window {
				say("step %s sends after %s at the earliest, when the window of goal %s (%s) is over: "+
					"make the window longer, or count it from: delivery", step, unit.FormatDuration(at), g.ID,
					unit.FormatDuration(g.Window))
			}
		})
	}
}

// adviseStops finds stop rules of a campaign whose chains never wait: the record that
// starts such a chain also ends it, so that no event can come between.
func adviseStops(p *program.Program, say func(string, ...any)) {
	if len(p.Stops) > 0 && !p.Rests() {
		say("stop can never happen: no step waits, so a chain is over in the record that starts it")
	}
}

// adviseAudience finds conditions that both trigger and audience ask. It is no error, but
// someone will change one of them and forget the other.
func adviseAudience(p *program.Program, say func(string, ...any)) {
	if p.Audience == nil {
		return
	}
	// Compared as texts: two that mean the same in other words are not found.
	asked := conjuncts(p.TriggerWhere())
	for _, c := range conjuncts(p.Audience.Source) {
		if slices.Contains(asked, c) {
			say("trigger and audience both ask %q: leave it where it belongs, once", c)
		}
	}
}

// adviseTexts finds messages that exceed the limits of templates, or would with large
// values. Such a message is not sent, and its author is not there to see it.
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

// conjuncts returns the conditions that && joins at the outermost level of an expression, with
// their white space normalised: `a && (b || c)` -> "a", "(b || c)". An expression with || at that
// level is one condition. It scans the text, because the condition is quoted to the author as they
// wrote it.
func conjuncts(source string) []string {
	var parts []string
	// depth counts the brackets around the current byte; quote is the quote inside of which
	// it is.
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

// normal returns an expression with single spaces, so that two spellings are equal.
func normal(source string) string { return strings.Join(strings.Fields(source), " ") }

// adviseTwins finds two active campaigns that send to the same customers over the same
// channel on the same occasion. Campaigns of different categories are meant to do so: the
// receipt of an order and an offer about it.
func adviseTwins(a, b *program.Program, say func(string, ...any)) {
	if a.Status != program.StatusActive || b.Status != program.StatusActive {
		return
	}
	// A trigger that is written in other words is another trigger here.
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

// sourceOf returns the normalised source of an expression; empty for nil.
func sourceOf(e *expr.Expr) string {
	if e == nil {
		return ""
	}
	return normal(e.Source)
}

// channelsOf returns the channels over which a campaign sends, each once, in the order of
// its steps.
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
