package sim

import (
	"encoding/json"
	"fmt"

	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/sim/audit"
)

// reply is what the other side answers to a call: mostly an object, with what branches look
// at or without.
func (w *World) reply() string {
	switch w.rng.IntN(5) {
	case 0:
		return ""
	case 1:
		return `{"other": true}`
	case 2:
		return `{"points": 5}`
	}
	return `{"points": 20.5, "level": "gold"}`
}

// replyOf is the reply that a result carries.
func replyOf(r *output.Result) (reply map[string]any) {
	if r.Reply == "" {
		return nil
	}
	if err := json.Unmarshal([]byte(r.Reply), &reply); err != nil {
		panic(fmt.Sprintf("BUG: a reply that is no JSON: %v", err))
	}
	return reply
}

// callNeeds adds the variable that the request of a step names.
func callNeeds(all map[string][]program.Variable, s *audit.Step) map[string][]program.Variable {
	if s.Call == nil || s.Call.Needs == "" {
		return all
	}
	if all == nil {
		all = map[string][]program.Variable{}
	}
	all[s.ID] = []program.Variable{{Path: "trigger.properties." + s.Call.Needs}}
	return all
}
