package audit

// said is what a customer said last, by event time.
type said struct {
	yes  bool
	none bool // taken back: as if nothing had been said
	at   int64
}

// declare writes down what was said, unless something later is known.
func declare(known map[string]said, about string, s said) {
	if old, ok := known[about]; !ok || old.none || s.at >= old.at {
		known[about] = s
	}
}

func (c *customer) agreed(category string, otherwise bool) bool {
	s, ok := c.consent[category]
	if !ok || s.none {
		return otherwise
	}
	return s.yes
}

func (c *customer) wants(channel string) bool {
	s, ok := c.preferences[channel]
	return !ok || s.none || s.yes
}

func (c *customer) disturbed(channel string) bool {
	return c.disturb[""].yes || c.disturb[channel].yes
}

// consents reads what a record says about consent.
func (c *customer) consents(e *Event) {
	if e.Type == TypeIdentify {
		traits(c.consent, e.Traits["consent"], e.Time)
		traits(c.preferences, e.Traits["preferences"], e.Time)
		return
	}
	text := func(name string) string {
		s, _ := e.Properties[name].(string)
		return s
	}
	channel := text("channel")
	switch e.Name {
	case "Consent Changed", "Unsubscribed":
		yes := false
		if e.Name == "Consent Changed" {
			yes, _ = e.Properties["granted"].(bool)
		}
		if channel != "" {
			declare(c.preferences, channel, said{yes: yes, at: e.Time})
			return
		}
		category := text("category")
		if category == "" {
			category = Marketing
		}
		declare(c.consent, category, said{yes: yes, at: e.Time})
	case "Do Not Disturb":
		enabled, given := e.Properties["enabled"].(bool)
		declare(c.disturb, channel, said{yes: enabled || !given, at: e.Time})
	}
}

// traits reads {name: true or {granted: ...} or null, ...}.
func traits(known map[string]said, v any, at int64) {
	members, _ := v.(map[string]any)
	for name, value := range members { // each name on its own: no order shows
		switch v := value.(type) {
		case nil:
			declare(known, name, said{none: true, at: at})
		case bool:
			declare(known, name, said{yes: v, at: at})
		case map[string]any:
			granted, _ := v["granted"].(bool)
			declare(known, name, said{yes: granted, at: at})
		}
	}
}
