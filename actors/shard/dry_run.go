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

// Preview is what applying definitions would do, counted over all customers of a
// workspace.
type Preview struct {
	// Customers counts all customers, anonymous ones too. Reached counts those whose
	// first record the log still has: a backfill could count their whole history.
	Customers int               `json:"customers"`
	Reached   int               `json:"history_in_log"`
	Campaigns []PreviewCampaign `json:"campaigns"` // that would change, sorted by name
	Counters  []PreviewCounter  `json:"counters"`  // that would begin to count
}

// PreviewCampaign is what applying definitions would do to one campaign.
type PreviewCampaign struct {
	Campaign string        `json:"campaign"`
	InFlight string        `json:"in_flight"` // of live chains: follow, pin or exit; empty for a new campaign
	Steps    []PreviewStep `json:"steps"`     // in which chains wait, sorted by id
	Existing bool          `json:"existing"`  // it wants customers who are already there
	// Enter counts the entries that would follow at once: of customers who are already
	// there, and by triggers that were kept while the campaign was paused. Refused counts
	// those that would be refused, by reason.
	Enter   int                   `json:"enter"`
	Refused map[output.Reason]int `json:"refused"`
}

// PreviewStep is what applying definitions would do to the chains that wait in one step.
type PreviewStep struct {
	Step   string               `json:"step"`
	Chains int                  `json:"chains"`  // how many chains wait in the step
	Fates  map[machine.Fate]int `json:"fates"`   // their sum is Chains
	AtOnce int                  `json:"at_once"` // of those, due as soon as the version is in force
}

// PreviewCounter is a counter that would begin to count.
type PreviewCounter struct {
	Text string `json:"counter"` // as people read it
	// Counted reports that the events are counted already: only the sum of a property, or
	// a longer window, begins.
	Counted bool `json:"counted"`
	// Fires reports that a trigger needs the count over the whole history.
	Fires bool `json:"fires"`
}

// DryRun computes what applying definitions would do to the customers of one shard. It
// works on copies, so the shard does not change. Create it with NewDryRun, call Customer
// for each customer, then Preview. It is not safe for concurrent use.
type DryRun struct {
	machine *machine.Machine
	names   event.Names
	changed []string         // campaigns with a new version, sorted
	visit   *active.BulkTask // the bulk task that would follow; nil if none
	now     int64            // log time of the shard, ms
	first   uint64           // sequence of the first retained frame

	preview Preview
	by      map[string]*PreviewCampaign // by name of the campaign
	steps   map[[2]string]*PreviewStep  // by campaign and step
}

// NewDryRun prepares a dry run of a. defs is the stored form of the definitions in force
// (Shard.Definitions), place and now are where in the log and when a would be applied,
// and first is the sequence of the first retained frame. It fails if a document does not
// compile.
func NewDryRun(compile Compile, defs []byte, a *control.Apply, place, first uint64, now int64) (*DryRun, error) {
	d := newDefinitions(compile)
	if len(defs) > 0 {
		if err := d.load(defs); err != nil {
			return nil, err
		}
	}
	old := d.set(a.Workspace)
	known := map[string]bool{}
	for _, doc := range d.documents(a.Workspace) {
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

// Customer adds a customer, given in their stored form, to the counts.
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

// Preview returns the counts so far.
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

// Add adds the counts of another shard for the same definitions to p. The zero Preview is
// where to start; it takes over the slices of the first one added.
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

// step adds the counts of one step, keeping the steps sorted.
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
