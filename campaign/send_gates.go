package campaign

// stillInAudience asks the audience again, in the light of the trigger event.
func (m *Machine) stillInAudience(p *Program) bool {
	current := m.scope.event.e
	m.scope.event.set(m.scope.trigger.e)
	holds := m.holds(p.Audience, p.Name)
	m.scope.event.set(current)
	return holds
}
