package shard

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/nudge-engine/nudge/actors/shard/control"
	"github.com/nudge-engine/nudge/campaign/active"
	"github.com/nudge-engine/nudge/campaign/program"
)

// maxWinners bounds the decided experiments of a workspace: they are stored as one value
// with the definitions and looked through at each change.
const maxWinners = 10_000

// succeed adds to the version history of a campaign that next replaces before at log time
// now. Live chains that started under before may keep to it.
func (d *definitions) succeed(name string, w *workspace, before, next *program.Document, now int64) error {
	p, err := d.compile(name, next)
	if err != nil {
		return fmt.Errorf("actors: workspace %s: %w", name, err)
	}
	i := sort.Search(len(w.Successions), func(i int) bool { return w.Successions[i].Campaign >= next.Name })
	if i == len(w.Successions) || w.Successions[i].Campaign != next.Name {
		w.Successions = slices.Insert(w.Successions, i, active.VersionHistory{Campaign: next.Name})
	}
	s := w.Successions[i]
	// A copy: the workspace that is being replaced keeps its own list.
	s.Kept = slices.Clone(s.Kept)
	s.Next(before, p.Campaign, now)
	w.Successions[i] = s
	return nil
}

// kept compiles the retained versions, which live chains still use. each has the programs
// of one campaign's history, in the order of w.Successions; all has them in one list.
func (d *definitions) kept(name string, w *workspace) (each [][]*program.Program, all []*program.Program, err error) {
	for i := range w.Successions {
		var programs []*program.Program
		for j := range w.Successions[i].Kept {
			p, err := d.compile(name, &w.Successions[i].Kept[j].Document)
			if err != nil {
				return nil, nil, fmt.Errorf("actors: workspace %s: %w", name, err)
			}
			programs = append(programs, p.Campaign)
		}
		each, all = append(each, programs), append(all, programs...)
	}
	return each, all, nil
}

// decide records the winner of an experiment, in the place of an earlier one. It fails at
// maxWinners.
func (d *definitions) decide(c *control.Decide) error {
	d.set(c.Workspace)
	w := *d.workspaces[c.Workspace]
	w.Winners = slices.DeleteFunc(slices.Clone(w.Winners), func(o active.Winner) bool {
		return o.Campaign == c.Campaign && o.Step == c.Step
	})
	if len(w.Winners) >= maxWinners {
		return fmt.Errorf("actors: workspace %s has %d decided experiments already", c.Workspace, maxWinners)
	}
	w.Winners = append(w.Winners, c.Winner)
	slices.SortFunc(w.Winners, func(a, b active.Winner) int {
		return strings.Compare(a.Campaign+"/"+a.Step, b.Campaign+"/"+b.Step)
	})
	if err := d.build(c.Workspace, &w, 0); err != nil {
		return err
	}
	d.workspaces[c.Workspace] = &w
	d.dirty = true
	return nil
}

// changes returns the log times, ms, sorted and without repetition, at which campaigns
// got their present versions.
func (d *definitions) changes() []int64 {
	var all []int64
	for _, w := range d.workspaces { //nudge:unordered sorted below
		for i := range w.Successions {
			all = append(all, w.Successions[i].At)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
