package campaign

// ContextSource is the field of an event's context that names the source whose key it came
// with. The server writes it; without sources it is what the client says.
const ContextSource = "source"
