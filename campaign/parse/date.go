package parse

import (
	"sort"
	"strconv"
	"strings"

	"github.com/google/cel-go/cel"
	"go.yaml.in/yaml/v3"

	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/unit"
)

// date reads {path, repeat, offsets, at, zone, feb29, catch_up}; the default is the day itself.
func (r *triggerReader) date(n *yaml.Node) *program.DateTrigger {
	t := &program.DateTrigger{At: -1, CatchUp: unit.DayMillis}
	r.core.object(n, "trigger.date",
		field{name: "path", required: true, read: func(n *yaml.Node) {
			if r.customerExpr(n, "path", false, &t.Path); t.Path != nil && t.Path.Reads.Clock {
				r.core.fail(n, "path must not look at now or a window")
			}
			r.core.gives(n, "path", t.Path, "a date", cel.StringType, cel.TimestampType)
		}},
		field{name: "repeat", read: func(n *yaml.Node) {
			t.Repeat = program.Repeat(r.core.choice(n, "repeat", "none", "yearly", "monthly"))
		}},
		field{name: "offsets", read: func(n *yaml.Node) {
			r.core.list(n, "offsets", maxOffsets, func(n *yaml.Node) { t.Offsets = append(t.Offsets, r.offset(n)) })
		}},
		field{name: "at", read: func(n *yaml.Node) { r.core.clock(n, "at", &t.At) }},
		field{name: "zone", read: func(n *yaml.Node) { r.dateZone(n, t) }},
		field{name: "feb29", read: func(n *yaml.Node) {
			t.Feb29 = program.Feb29(r.core.choice(n, "feb29", "feb28", "mar1", "leap_only"))
		}},
		field{name: "catch_up", read: func(n *yaml.Node) { r.core.duration(n, "catch_up", &t.CatchUp) }})
	sort.Slice(t.Offsets, func(i, j int) bool { return t.Offsets[i].Ms() < t.Offsets[j].Ms() })
	// "7d" and "168h" are the same offset in two spellings.
	for i := 1; i < len(t.Offsets); i++ {
		if t.Offsets[i].Ms() == t.Offsets[i-1].Ms() {
			r.core.fail(n, "trigger.date: offset %s is given twice", t.Offsets[i].Text)
		}
	}
	if len(t.Offsets) == 0 {
		t.Offsets = []program.Offset{{Text: "0s"}}
	}
	t.Spec = specID("date", expr.SourceOf(t.Path), strconv.Itoa(int(t.Repeat)))
	return t
}

// offset reads a duration with a sign: "-7d", "0d", "+1d12h". Whole days are calendar days: "-1d6h"
// -> Days -1, Rest -6h.
func (r *triggerReader) offset(n *yaml.Node) program.Offset {
	if r.core.drawn(Shape{Kind: ShapeOffset}) {
		return program.Offset{}
	}
	s, ok := r.core.scalar(n, "offsets")
	if !ok {
		return program.Offset{}
	}
	text, sign := s, int64(1)
	if rest, negative := strings.CutPrefix(s, "-"); negative {
		text, sign = rest, -1
	} else {
		text = strings.TrimPrefix(text, "+")
	}
	ms, err := unit.ParseDuration(text)
	if err != nil {
		r.core.fail(n, "offsets: %v", err)
	}
	return program.Offset{Text: s, Days: int(sign * (ms / unit.DayMillis)), Rest: sign * (ms % unit.DayMillis)}
}

// dateZone reads the zone of a date trigger: "customer", "campaign", or the name of a time zone.
func (r *triggerReader) dateZone(n *yaml.Node, t *program.DateTrigger) {
	switch {
	case n.Kind == yaml.ScalarNode && n.Value == "customer":
	case n.Kind == yaml.ScalarNode && n.Value == program.ZoneDefault:
		t.Zone = program.ZoneDefault
	default:
		r.core.zone(n, "zone", &t.Zone)
	}
}

// maxOffsets is the greatest number of offsets of one date trigger. Each costs every customer a
// planned instant.
const maxOffsets = 20
