package program

// Lifecycle says whether a campaign starts chains, and whether they go on.
type Lifecycle uint8

// The statuses of a campaign.
const (
	StatusActive   Lifecycle = iota
	StatusDraft              // starts nothing; chains that are live stand still
	StatusPaused             // see Pause
	StatusArchived           // starts nothing; chains that are live end
)

// String is the status as definitions write it.
func (l Lifecycle) String() string { return l.Word() }

// Pause says what a paused campaign does with entries and timers.
type Pause struct {
	Queue bool // entries are kept until it is active again, else refused
	Run   bool // live chains go on, else they stand still
}

// Frozen says that the campaign's chains stand still.
func (p *Program) Frozen() bool {
	return p.Status == StatusDraft || p.Status == StatusPaused && !p.Pause.Run
}

// Resumes says that chains which stood still under the version before (nil: none) go on
// under this one, and that its definition leaves open what becomes of what is overdue.
func (p *Program) Resumes(before *Program) bool {
	return before != nil && before.Frozen() && !p.Frozen() && p.Status != StatusArchived && p.InFlight != EndAll &&
		!p.LateGiven
}

// Watches says that the campaign looks at customers: a draft and an archived one do not.
func (p *Program) Watches() bool { return p.Status != StatusDraft && p.Status != StatusArchived }

// InFlight says what a new version means for the chains that are live.
type InFlight uint8

// What a new version does to live chains.
const (
	Follow InFlight = iota // they go by it, at the step of the id at which they are
	Pin                    // they keep the version by which they went
	EndAll                 // they end
)

// Word returns the status as definitions write it.
func (l Lifecycle) Word() string {
	return [...]string{
		StatusActive: "active", StatusDraft: "draft", StatusPaused: "paused", StatusArchived: "archived",
	}[l]
}
