package workload

import (
	"strconv"
	"time"

	"github.com/nudge-engine/nudge/sim/audit"
)

// burstCustomers is a little more than the timers that a shard fires in one step.
const burstCustomers = 10_050

// Burst is very many customers of one partition who do one thing at one instant and
// then nothing for an hour: all their timers are due at once. Some get a message. Before
// that there are broadcasts for all of them.
func Burst() Workload {
	c := audit.Campaign{
		Name:    "burst",
		Trigger: audit.Trigger{Kind: audit.KindInactivity, Event: "Page Read", For: time.Hour},
		Steps: []audit.Step{
			{ID: "who", Branch: &audit.Branch{Arms: []audit.Arm{{
				When: audit.P(audit.Comparison{Subject: audit.SubjectTrigger, Path: "value", Op: ">=", Value: 20.0}),
				Goto: "say",
			}}}},
			{ID: "none", Exit: true},
			{ID: "say", Send: &audit.Send{Channels: []string{"email"}}},
		},
	}
	// A bulk scan of all of them takes several slices; it reaches each once.
	all := audit.Campaign{
		Name: "all", Trigger: audit.Trigger{Kind: audit.KindBroadcast, Event: stormName},
		Steps: []audit.Step{
			{ID: "who", Experiment: &audit.Experiment{Variants: []audit.Variant{
				{ID: "most", Weight: 99, Goto: audit.End}, {ID: "some", Weight: 1, Goto: "say"},
			}}},
			{ID: "say", Send: &audit.Send{Channels: []string{"email"}}},
		},
	}
	w := Workload{Campaigns: []audit.Campaign{c, all}}
	storm := Start + 30*time.Minute.Milliseconds()
	for i := range 1 {
		at := storm + int64(i)*4*time.Minute.Milliseconds()
		w.Broadcasts = append(w.Broadcasts, Call{At: at, Event: audit.Event{
			ID: "storm" + strconv.Itoa(i), Name: stormName, Time: at, Type: audit.TypeTrack,
		}})
	}
	for i := range burstCustomers {
		value := 5.0
		if i%200 == 0 {
			value = 40
		}
		w.Calls = append(w.Calls, Call{At: Start, Event: audit.Event{
			Customer: "u" + strconv.Itoa(i+1), ID: "m" + strconv.Itoa(i+1), Name: "Page Read", Time: Start,
			Type: audit.TypeTrack, Properties: map[string]any{"value": value},
		}})
	}
	due := Start + time.Hour.Milliseconds() // an event in the very frame that is cut
	w.Calls = append(w.Calls, Call{At: due, Event: audit.Event{
		Customer: "u1", ID: "due", Name: "Page Read", Time: due, Type: audit.TypeTrack,
		Properties: map[string]any{"value": 40.0},
	}})
	late := Start + 3*time.Hour.Milliseconds() // the faults go on until then
	w.Calls = append(w.Calls, Call{At: late, Event: audit.Event{
		Customer: "u1", ID: "late", Time: late, Type: audit.TypeIdentify,
	}})
	return w
}
