package audit

import (
	"strconv"
	"strings"
)

func (t Trigger) yaml() string {
	var f fields
	switch t.Kind {
	case KindEvent:
		f = f.add("name", quote(t.Event)).where(t.Where)
	case KindCount:
		f = f.add("event", quote(t.Event)).where(t.Where).add("reaches", strconv.Itoa(t.Reaches))
	case KindInactivity:
		f = f.add("event", quote(t.Event)).where(t.Where).add("for", Duration(t.For))
		f = f.addIf(t.FromProfile, "never_done", "from_profile_created")
	default:
		f = t.more()
	}
	return t.Kind + ": {" + f.text() + "}"
}

func (t Trigger) more() fields {
	var f fields
	number := func(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
	switch t.Kind {
	case KindStreak:
		f = f.add("event", quote(t.Event)).where(t.Where).add("length", strconv.Itoa(t.Length))
		f = f.add("max_gap", Duration(t.MaxGap)).addIf(t.BreakOn != "", "break_on", quote(t.BreakOn))
	case KindThreshold:
		value := member("customer.traits", t.Path)
		if t.Value != nil {
			value = t.Value.value()
		}
		f = f.add("value", quote(value))
		f = f.add("crosses", map[bool]string{false: "up", true: "down"}[t.Down]).add("at", number(t.At))
		f = f.addIf(t.Hysteresis != 0, "hysteresis", number(t.Hysteresis))
	case KindSegment:
		f = f.add("when", quote(t.When.CEL())).add("on", map[bool]string{false: "enter", true: "leave"}[t.Leave])
	case KindChange:
		f = f.add("path", quote("customer.traits."+t.Path))
		f = f.addIf(t.From != nil, "from", plain(t.From)).addIf(t.To != nil, "to", plain(t.To))
	case KindBroadcast:
		f = f.add("event", quote(t.Event))
		if t.When != nil {
			f = f.add("audience", quote(t.When.CEL()))
		}
	case KindSchedule:
		if t.Calendar != "" {
			f = f.add("calendar", quote(t.Calendar)).add("at", ofDay(t.Minute))
			return f.addIf(t.Zone != "", "zone", quote(t.Zone))
		}
		cron := strconv.Itoa(t.Minute) + " * * * *"
		if t.Daily {
			cron = strconv.Itoa(t.Minute%60) + " " + strconv.Itoa(t.Minute/60) + " * * *"
		}
		f = f.add("cron", quote(cron)).addIf(t.Zone != "", "zone", quote(t.Zone))
	case KindWebhook:
		f = f.add("mapping", "{userId: $.user, cart_id: $.cart, value: $.value}")
	case KindDate:
		f = t.date()
	default:
		panic("BUG: unknown trigger kind " + t.Kind)
	}
	return f
}

// date renders the fields of a date trigger.
func (t Trigger) date() fields {
	offsets := make([]string, 0, len(t.Offsets))
	for _, o := range t.Offsets {
		offsets = append(offsets, strconv.Itoa(o)+"d")
	}
	f := fields{}.add("path", quote("customer.traits."+t.Path)).addIf(t.Repeat != "", "repeat", t.Repeat)
	f = f.addIf(len(offsets) > 0, "offsets", "["+strings.Join(offsets, ", ")+"]")
	f = f.addIf(t.HasAt, "at", ofDay(t.Minute)).addIf(t.Zone != "", "zone", quote(t.Zone))
	return f.addIf(t.Feb29 != "", "feb29", t.Feb29).addIf(t.CatchUp != 0, "catch_up", Duration(t.CatchUp))
}
