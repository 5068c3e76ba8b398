package program

// Lifecycle says whether a campaign starts chains, and whether they go on.
type Lifecycle uint8

// The statuses of a campaign.
const (
	// StatusActive starts chains, and they go on.
	StatusActive Lifecycle = iota
	// StatusDraft starts nothing; live chains stay where they are.
	StatusDraft
	// StatusPaused does what Pause says.
	StatusPaused
	// StatusArchived starts nothing; live chains end.
	StatusArchived
)

// String is the status as definitions write it.
func (l Lifecycle) String() string { return l.Word() }

// Pause says what a paused campaign does with entries and timers.
type Pause struct {
	// Queue keeps entries until the campaign is active again; otherwise they are refused.
	Queue bool
	// Run lets live chains go on; otherwise they stay where they are.
	Run bool
}

// Frozen reports whether the campaign's chains stay where they are.
func (p *Program) Frozen() bool {
	return p.Status == StatusDraft || p.Status == StatusPaused && !p.Pause.Run
}

// Resumes reports whether chains that stood still under the version before (nil: none) go on under
// this one, and its definition leaves open what becomes of what is overdue. Only the author knows
// whether a message of last week should still be sent, so applying such a version is refused when
// there are overdue chains.
func (p *Program) Resumes(before *Program) bool {
	return before != nil && before.Frozen() && !p.Frozen() && p.Status != StatusArchived && p.InFlight != EndAll &&
		!p.LateGiven
}

// Watches reports whether the campaign looks at customers: a draft and an archived one do not.
func (p *Program) Watches() bool { return p.Status != StatusDraft && p.Status != StatusArchived }

// InFlight says what a new version means for the chains that are live.
type InFlight uint8

// What becomes of live chains when a new version comes ("in_flight").
const (
	// Follow: they go on under the new version, at the step with the id at which they are.
	Follow InFlight = iota
	// Pin: they keep the version under which they went.
	Pin
	// EndAll: they end.
	EndAll
)

// Word returns the status as definitions write it.
func (l Lifecycle) Word() string {
	return [...]string{
		StatusActive: "active", StatusDraft: "draft", StatusPaused: "paused", StatusArchived: "archived",
	}[l]
}
