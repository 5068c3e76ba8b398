package campaign

// ContextSource is the field of an event's context that names the source whose key it came
// with. The server writes it; without sources it is what the client says.
const ContextSource = "source"

// said is who says something about consent: the source of the record in hand, by whose key
// it came, before what the record itself claims.
func (m *Machine) said(claimed string) string {
	v := m.scope.event.context.get(ContextSource)
	if v == nil {
		return claimed
	}
	if name := v.GetStringBytes(); len(name) > 0 {
		return string(name) + "/" + claimed
	}
	return claimed
}
