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
		c.saysOf(c.consent, e.Traits["consent"], e.Time)
		c.saysOf(c.preferences, e.Traits["preferences"], e.Time)
		return
	}
	channels := texts(e.Properties["channel"])
	switch e.Name {
	case "Consent Changed", "Unsubscribed":
		yes := false
		if e.Name == "Consent Changed" {
			yes = c.says(e.Properties["granted"], false)
		}
		for _, channel := range channels {
			declare(c.preferences, channel, said{yes: yes, at: e.Time})
		}
		if len(channels) > 0 {
			return
		}
		categories := texts(e.Properties["category"])
		if len(categories) == 0 {
			categories = []string{Marketing}
		}
		for _, category := range categories {
			declare(c.consent, category, said{yes: yes, at: e.Time})
		}
	case "Do Not Disturb":
		yes := true
		if enabled, given := e.Properties["enabled"]; given {
			yes = c.says(enabled, true)
		}
		if len(channels) == 0 {
			channels = []string{""} // all
		}
		for _, channel := range channels {
			declare(c.disturb, channel, said{yes: yes, at: e.Time})
		}
	}
}

// texts is a text, or a list of them.
func texts(v any) (all []string) {
	if s, ok := v.(string); ok && s != "" {
		return []string{s}
	}
	list, _ := v.([]any)
	for _, v := range list {
		all = append(all, texts(v)...)
	}
	return all
}

// says reads a yes or no; what is neither refuses.
func (c *customer) says(v any, refusal bool) bool {
	yes, ok := yesOrNo(v)
	if _, isBool := v.(bool); ok && !isBool {
		c.a.note(NoteConsentWord)
	}
	if !ok {
		c.a.note(NoteBadConsent)
		return refusal
	}
	return yes
}

// saysOf reads {name: true or {granted: ...} or null, ...}.
func (c *customer) saysOf(known map[string]said, v any, at int64) {
	members, _ := v.(map[string]any)
	for name, value := range members { // each name on its own: no order shows
		if object, ok := value.(map[string]any); ok {
			declare(known, name, said{yes: c.says(object["granted"], false), at: at})
			continue
		}
		if value == nil {
			declare(known, name, said{none: true, at: at})
			continue
		}
		declare(known, name, said{yes: c.says(value, false), at: at})
	}
}
