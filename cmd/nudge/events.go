package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/nudge-engine/nudge/presets"
)

// eventsCommand is `nudge events`: the catalogue of usual events (package presets).
type eventsCommand struct {
	Name string `arg:"" optional:"" help:"Name of an event, or a part of it."`
	JSON bool   `name:"json" help:"Print all there is about the events, as JSON."`
}

func (e *eventsCommand) Help() string {
	return `Lists the events that the presets and common integrations use: their usual names, so
that campaigns of one house understand each other. No event needs to be on the list;
any name works.

With a whole name it shows what the properties are, a sample, and the smallest campaign
that the sample starts.

Example:
  nudge events
  nudge events appointment
  nudge events "Tag Added"`
}

// Run prints the events whose name has the given text in it, by group, or one event in full. A
// name that matches whole goes before parts: "Order" should not list "Order Cancelled" too.
func (e *eventsCommand) Run(out console) error {
	all, err := presets.Events()
	if err != nil {
		return err
	}
	var found []presets.Event
	for _, event := range all {
		// An event of just that name is meant, even if others contain it.
		if strings.EqualFold(event.Name, e.Name) {
			found = []presets.Event{event}
			break
		}
		if strings.Contains(strings.ToLower(event.Name), strings.ToLower(e.Name)) {
			found = append(found, event)
		}
	}
	switch {
	case len(found) == 0:
		return fmt.Errorf("no event of the catalogue has %q in its name; any name works all the same", e.Name)
	// Programs get all fields, a person a line for each event.
	case e.JSON:
		text, err := json.MarshalIndent(found, "", "  ")
		if err != nil {
			return err
		}
		fmt.Fprintf(out.out, "%s\n", text)
	case len(found) == 1 && e.Name != "":
		return e.show(out, &found[0])
	default:
		group := ""
		for i := range found {
			if found[i].Group != group {
				group = found[i].Group
				fmt.Fprintf(out.out, "%s\n", group)
			}
			fmt.Fprintf(out.out, "  %-27s %s\n", found[i].Name, found[i].About)
		}
	}
	return nil
}

// show prints one event: its properties, a call with it, and a campaign that the call starts.
func (e *eventsCommand) show(out console, event *presets.Event) error {
	schema, err := event.Schema()
	if err != nil {
		return err
	}
	call, err := event.Call("ann")
	if err != nil {
		return err
	}
	fmt.Fprintf(out.out, "%s: %s\n\nIts properties:\n%s\n\nA sample, as the body of POST /v1/track:\n%s\n\n"+
		"A campaign that it starts:\n%s", event.Name, event.About, schema, call, event.Campaign())
	return nil
}
