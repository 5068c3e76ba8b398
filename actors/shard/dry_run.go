package shard

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/nudge-engine/nudge/actors/shard/control"
	"github.com/nudge-engine/nudge/campaign/active"
	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/machine"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
)

// Preview is what an apply would do, counted over all customers.
type Preview struct {
	// Customers are all of the workspace, anonymous ones too; Reached are those whose
	// first record the retained log still has: their whole history can be counted.
	Customers int               `json:"customers"`
	Reached   int               `json:"history_in_log"`
	Campaigns []PreviewCampaign `json:"campaigns"` // that would change, by name
	Counters  []PreviewCounter  `json:"counters"`  // that would begin
}

// PreviewCampaign is what an apply would do to one campaign.
type PreviewCampaign struct {
	Campaign string        `json:"campaign"`
	InFlight string        `json:"in_flight"` // follow, pin or exit; empty for a campaign that is new
	Steps    []PreviewStep `json:"steps"`     // in which chains wait, by id
	Existing bool          `json:"existing"`  // asks for customers who are already there
	// Enter counts the entries of customers who are already there, and of triggers that
	// were kept while the campaign was paused; Refused those that would be refused.
	Enter   int                   `json:"enter"`
	Refused map[output.Reason]int `json:"refused"`
}

// PreviewStep is what an apply would do to the chains that wait in one step.
type PreviewStep struct {
	Step   string               `json:"step"`
	Chains int                  `json:"chains"`
	Fates  map[machine.Fate]int `json:"fates"`   // their sum is Chains
	AtOnce int                  `json:"at_once"` // due as soon as the version is there
}

// PreviewCounter is a counter that would begin.
type PreviewCounter struct {
	Text string `json:"counter"`
	// Counted says that the events are counted already: only the sum, or what lies
	// further back, begins.
	Counted bool `json:"counted"`
	// Fires says that a trigger needs to know the whole history.
	Fires bool `json:"fires"`
}

// DryRun foresees what an apply would do to the customers of one shard. It works on
// copies of their stored forms; the shard does not change.
type DryRun struct {
	machine *machine.Machine
	names   event.Names
	changed []string // campaigns with a new version, sorted
	visit   *active.BulkTask
	now     int64
	first   uint64 // the retained log begins here

	preview Preview
	by      map[string]*PreviewCampaign
	steps   map[[2]string]*PreviewStep
}

// NewDryRun foresees apply, as it would come to a shard with the given definitions
// (their stored form) at a place of the log and a log time. first is where the retained
// log begins.
func NewDryRun(compile Compile, defs []byte, a *control.Apply, place, first uint64, now int64) (*DryRun, error) {
	d := newDefinitions(compile)
	if len(defs) > 0 {
		if err := d.load(defs); err != nil {
			return nil, err
		}
	}
	old := d.set(a.Workspace)
	known := map[string]bool{}
	for _, doc := range d.workspaces[a.Workspace].Documents {
		known[doc.Kind+"/"+doc.Name] = true
	}
	if _, err := d.apply(a, place, now); err != nil {
		return nil, err
	}
	set := d.set(a.Workspace)
	s := &DryRun{
		machine: machine.New(), names: event.Names{}, now: now, first: first,
		preview: Preview{Counters: []PreviewCounter{}},
		by:      map[string]*PreviewCampaign{}, steps: map[[2]string]*PreviewStep{},
	}
	s.machine.Use(set)
	for i := range a.Documents {
		doc := &a.Documents[i]
		if doc.Kind != program.KindCampaign {
			continue
		}
		p, err := compile(a.Workspace, doc)
		if err != nil {
			return nil, fmt.Errorf("actors: workspace %s: %w", a.Workspace, err)
		}
		s.changed = append(s.changed, doc.Name)
		c := &PreviewCampaign{
			Campaign: doc.Name, Existing: p.Campaign.Existing,
			Steps: []PreviewStep{}, Refused: map[output.Reason]int{},
		}
		if known[doc.Kind+"/"+doc.Name] {
			c.InFlight = [...]string{"follow", "pin", "exit"}[p.Campaign.InFlight]
		}
		s.by[doc.Name] = c
	}
	slices.Sort(s.changed)
	if v, needed := set.Activation(old, s.changed); needed {
		v.Due = now
		s.visit = &v
	}
	for _, ask := range set.NewAsks(old) {
		s.preview.Counters = append(s.preview.Counters, PreviewCounter{
			Text: ask.String(), Counted: ask.Counted, Fires: ask.Window == 0 && set.CountsEvents(ask),
		})
	}
	return s, nil
}

// Customer takes a customer into account, by the stored form.
func (s *DryRun) Customer(stored []byte) error {
	c, err := customer.Decode(stored, s.names)
	if err != nil {
		return err
	}
	s.preview.Customers++
	if c.CreatedPlace >= s.first {
		s.preview.Reached++
	}
	f := s.machine.PreviewChange(c, s.changed, s.visit, s.now)
	for _, ch := range f.Chains {
		key := [2]string{ch.Campaign, ch.Step}
		step := s.steps[key]
		if step == nil {
			step = &PreviewStep{Step: ch.Step, Fates: map[machine.Fate]int{}}
			s.steps[key] = step
		}
		step.Chains++
		step.Fates[ch.Fate]++
		if ch.AtOnce {
			step.AtOnce++
		}
	}
	for _, name := range f.Entered {
		s.by[name].Enter++
	}
	for _, r := range f.Refused {
		s.by[r.Campaign].Refused[r.Reason]++
	}
	return nil
}

// Preview is what was foreseen so far.
func (s *DryRun) Preview() Preview {
	p := s.preview
	p.Campaigns = []PreviewCampaign{}
	for _, name := range s.changed {
		p.Campaigns = append(p.Campaigns, *s.by[name])
	}
	keys := slices.SortedFunc(maps.Keys(s.steps), func(a, b [2]string) int {
		return strings.Compare(a[0]+"\x00"+a[1], b[0]+"\x00"+b[1])
	})
	for _, key := range keys {
		for i := range p.Campaigns {
			if p.Campaigns[i].Campaign == key[0] {
				p.Campaigns[i].Steps = append(p.Campaigns[i].Steps, *s.steps[key])
			}
		}
	}
	return p
}

// Add adds what another shard's survey of the same apply foresees.
func (p *Preview) Add(other *Preview) {
	p.Customers += other.Customers
	p.Reached += other.Reached
	if p.Campaigns == nil {
		p.Campaigns, p.Counters = other.Campaigns, other.Counters
		return
	}
	for i := range other.Campaigns {
		from, to := &other.Campaigns[i], &p.Campaigns[i]
		to.Enter += from.Enter
		for reason, n := range from.Refused { //nudge:unordered sums
			to.Refused[reason] += n
		}
		for _, step := range from.Steps {
			to.step(step)
		}
	}
}

func (c *PreviewCampaign) step(from PreviewStep) {
	i, found := slices.BinarySearchFunc(c.Steps, from.Step, func(s PreviewStep, id string) int {
		return strings.Compare(s.Step, id)
	})
	if !found {
		c.Steps = slices.Insert(c.Steps, i, from)
		return
	}
	to := &c.Steps[i]
	to.Chains += from.Chains
	to.AtOnce += from.AtOnce
	for fate, n := range from.Fates { //nudge:unordered sums
		to.Fates[fate] += n
	}
}
