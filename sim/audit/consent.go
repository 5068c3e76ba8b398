package audit

// consentFact is what a customer said last, by event time.
type consentFact struct {
	yes       bool
	withdrawn bool // with null: as if nothing had been said
	at        int64
}

// recordFact keeps what was said, unless something later is known.
func recordFact(known map[string]consentFact, about string, s consentFact) {
	if old, ok := known[about]; !ok || old.withdrawn || s.at >= old.at {
		known[about] = s
	}
}

// hasConsent reports whether the customer agrees to a category; otherwise is the answer where they
// said nothing.
func (c *customer) hasConsent(category string, otherwise bool) bool {
	s, ok := c.consent[category]
	if !ok || s.withdrawn {
		return otherwise
	}
	return s.yes
}

// acceptsChannel reports whether the customer has not refused the channel.
func (c *customer) acceptsChannel(channel string) bool {
	s, ok := c.preferences[channel]
	return !ok || s.withdrawn || s.yes
}

// isDisturbed reports whether the customer asked not to be disturbed, on this channel or on any.
func (c *customer) isDisturbed(channel string) bool {
	return c.disturb[""].yes || c.disturb[channel].yes
}

// updateConsent reads what a record says about consent.
func (c *customer) updateConsent(e *Event) {
	if e.Type == TypeIdentify {
		c.readFacts(c.consent, e.Traits["consent"], e.Time)
		c.readFacts(c.preferences, e.Traits["preferences"], e.Time)
		return
	}
	channels := texts(e.Properties["channel"])
	switch e.Name {
	case "Consent Changed", "Unsubscribed":
		yes := false
		if e.Name == "Consent Changed" {
			yes = c.readYes(e.Properties["granted"], false)
		}
		for _, channel := range channels {
			recordFact(c.preferences, channel, consentFact{yes: yes, at: e.Time})
		}
		if len(channels) > 0 {
			return
		}
		categories := texts(e.Properties["category"])
		if len(categories) == 0 {
			categories = []string{Marketing}
		}
		for _, category := range categories {
			recordFact(c.consent, category, consentFact{yes: yes, at: e.Time})
		}
	case "Do Not Disturb":
		yes := true
		if enabled, given := e.Properties["enabled"]; given {
			yes = c.readYes(enabled, true)
		}
		if len(channels) == 0 {
			channels = []string{""} // all
		}
		for _, channel := range channels {
			recordFact(c.disturb, channel, consentFact{yes: yes, at: e.Time})
		}
	}
}

// readYes reads a yes or no; what is neither counts as the refusal.
func (c *customer) readYes(v any, refusal bool) bool {
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

// readFacts reads {name: true or {granted: ...} or null, ...}.
func (c *customer) readFacts(known map[string]consentFact, v any, at int64) {
	members, _ := v.(map[string]any)
	for name, value := range members { // each name on its own: no order shows
		if object, ok := value.(map[string]any); ok {
			recordFact(known, name, consentFact{yes: c.readYes(object["granted"], false), at: at})
			continue
		}
		if value == nil {
			recordFact(known, name, consentFact{withdrawn: true, at: at})
			continue
		}
		recordFact(known, name, consentFact{yes: c.readYes(value, false), at: at})
	}
}
