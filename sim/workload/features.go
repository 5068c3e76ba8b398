package workload

import (
	"math/rand/v2"
)

// Features says which parts of the language the campaigns of a workload use.
type Features struct {
	Gates       bool // recheck, switches, variables, on_fail
	Caps        bool
	Quiet       bool
	Consent     bool
	Groups      bool
	Dedupe      bool
	Holdout     bool
	Experiments bool
	Loops       bool
	Made        bool // set, emit, start
	Calendar    bool // until, periods, time zones
	Levels      bool // segments, thresholds, changes, streaks, windows, tags
	BulkScans   bool // broadcasts, schedules
	Goals       bool // reversals, primary goals; waits that restart
	Late        bool // late: skip and exit

	// See DrawDatesAndStatuses.
	Dates    bool // date triggers
	Statuses bool // pauses, drafts, archived campaigns; pin and exit

	Changes Changes
	CallsAndExperiments
	RealSources
	Values Values
}

// DrawFeatures draws about half of them.
func DrawFeatures(rng *rand.Rand) Features {
	yes := func() bool { return rng.IntN(2) == 0 }
	return Features{
		Gates: yes(), Caps: yes(), Quiet: yes(), Consent: yes(), Groups: yes(), Dedupe: yes(), Holdout: yes(),
		Experiments: yes(), Loops: yes(), Made: yes(), Calendar: yes(), Levels: yes(), BulkScans: yes(), Goals: yes(),
		Late: yes(),
	}
}

// any says whether the workload goes beyond the first language.
func (f Features) any() bool { return f != Features{} }

const (
	madeEvent = "Level Reached" // what steps emit
	stormName = "Storm Warning" // what is broadcast
)

func zones() []string {
	return []string{"Europe/Kyiv", "America/New_York", "Asia/Tokyo", "Australia/Lord_Howe"}
}
