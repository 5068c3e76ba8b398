package stream

// Reject is the payload of a KindReject record: an event that ingest refused and
// kept, as JSON.
type Reject struct {
	Workspace string `json:"workspace"`
	Customer  string `json:"customer,omitempty"`
	Field     string `json:"field"`
	Code      string `json:"code"`
	Message   string `json:"message"`
	Raw       string `json:"raw"` // at most 32 KiB
}
