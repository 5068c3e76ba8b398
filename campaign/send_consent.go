package campaign

// consented says whether the customer agrees to a category: if they did not refuse,
// or, where the workspace requires it, if they granted it.
func (m *Machine) consented(category string) bool {
	x := m.c.consent(AboutCategory, category)
	if x == nil {
		return !m.set.rules.required[category]
	}
	return x.Granted
}
