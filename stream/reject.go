package stream

// Reject is the data of a KindReject record, as JSON: an event that ingest refused and
// kept, so that its sender's mistake can be looked into.
type Reject struct {
	Workspace string `json:"workspace"`
	Customer  string `json:"customer,omitempty"`
	Field     string `json:"field"`   // of the event, that was wrong
	Code      string `json:"code"`    // what was wrong, for programs
	Message   string `json:"message"` // the same for people
	Raw       string `json:"raw"`     // the event as it came, at most 32 KiB
}
