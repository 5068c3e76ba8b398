package bench

import (
	"fmt"
	"strings"
)

// deliveryPercent is the share of all events that cause a delivery.
const deliveryPercent = 5

// model says which events cause a delivery. Campaign i looks at one of the three
// names of track calls, and takes a range of the scores; the ranges of the
// campaigns of one name do not overlap, so that an event causes one delivery at
// most, while every campaign of its name has to look at it.
type model struct {
	campaigns int
	width     int // scores below it cause a delivery, if a campaign has the name
}

// triggers are the names that campaigns look at, with their share of all calls.
func triggers() [3]struct {
	name    string
	percent int
} {
	return [3]struct {
		name    string
		percent int
	}{{productViewed, percentViewed}, {cartUpdated, percentUpdated}, {orderCompleted, percentOrdered}}
}

func newModel(campaigns int) model {
	covered := 0
	for i, t := range triggers() {
		if i < campaigns {
			covered += t.percent
		}
	}
	m := model{campaigns: campaigns}
	if covered > 0 {
		m.width = min(scores, scores*deliveryPercent/covered)
	}
	return m
}

// causes says whether a track call causes a delivery.
func (m model) causes(name string, score int) bool {
	for i, t := range triggers() {
		if t.name == name {
			return i < m.campaigns && score < m.width
		}
	}
	return false
}

// scoreRange is the scores, from low to below high, that campaign i takes.
func (m model) scoreRange(i int) (name string, low, high int) {
	all := triggers()
	kind, place := i%len(all), i/len(all)
	siblings := (m.campaigns - kind + len(all) - 1) / len(all)
	return all[kind].name, m.width * place / siblings, m.width * (place + 1) / siblings
}

// channelName is the channel of all campaigns.
const channelName = "bench"

// campaignsPerFile stays below the limits of a definition file.
const campaignsPerFile = 500

// Definitions is the campaigns as the files that a marketer would write, and their
// channel: a webhook when url is given, else the console.
func (w Workload) Definitions(url string) []string {
	var files []string
	var b strings.Builder
	spec := "{type: console}"
	if url != "" {
		spec = fmt.Sprintf("{type: webhook, url: %q}", url)
	}
	fmt.Fprintf(&b, "apiVersion: nudge/v1\nkind: Channel\nmetadata: {name: %s}\nspec: %s\n", channelName, spec)
	m := newModel(w.Campaigns)
	for i := range w.Campaigns {
		if i%campaignsPerFile == campaignsPerFile-1 {
			files = append(files, b.String())
			b.Reset()
		}
		name, low, high := m.scoreRange(i)
		fmt.Fprintf(&b, `---
apiVersion: nudge/v1
kind: Campaign
metadata: {name: bench-%d}
spec:
  trigger: {event: {name: %s, where: event.properties.score >= %d && event.properties.score < %d}}
  steps:
    - id: tell
      send: {channel: %s, inline: {body: "{{ trigger.properties.product }} for {{ trigger.properties.value }}"}}
`, i, name, low, high, channelName)
	}
	return append(files, b.String())
}
