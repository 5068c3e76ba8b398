// Package audit is the judge of the simulator: a slow and obvious model of what the log of one
// partition means for campaigns.
//
// It was written from the language's text (docs/reference and the readings in docs/adr) without seeing
// the engine, and shares no code with it. Where both agree, two readings of the same text agree. It
// covers the part of the language that Campaign and WorkspacePolicy can say, and prefers scans and
// sorted slices over indexes, wheels and counters.
//
// # How it works
//
// The simulator gives an Auditor the log in its order: Frame for each frame, then Event, Broadcast,
// Result, Apply, SetPolicies, Decide, MakeTombstone, Merge or Erase for each record. The Auditor keeps
// every customer with all events and chains they ever had, and appends what the engine should have
// written: Deliveries, States, Conversions, Faults, Chains and ExperimentCounts. At the end the simulator
// compares these rows with the engine's. Noted says which rare situations occurred, so that the
// simulator can demand that its seeds bring each of them about.
//
// A frame is applied in this order: log time moves on; customers whose slots have come are migrated to
// new versions, and bulk scans go on; timers fire in the order of due, customer, campaign and entry;
// schedules start. A record is applied to one customer: what waits for something to reach them comes
// first, then profile and counters, the live chains, the triggers, and the chains run until each rests
// and each send that is due is decided (runToQuiescence). A new version changes chains at once in the
// model, but shows only at the customer's slot or when something reaches them before; reachedAt tells
// the two apart.
//
// # Files
//
//   - The log: auditor.go, events.go, timers.go, catchup_barrier.go, definitions.go; results.go has the
//     rows and notes.go the coverage marks.
//   - Definitions: campaign.go, steps.go, policy.go, predicate.go, call.go; yaml_*.go write them as
//     documents for the engine.
//   - A customer: customer.go, traits.go, consent.go, counters.go, zones.go, devices.go, merge.go,
//     merge_state.go, expiry.go.
//   - Triggers: triggers.go, profile_triggers.go, window_changes.go, streaks.go, dates.go,
//     date_occurrences.go, bulk_scans.go, schedules.go, activation.go.
//   - Entry: entry.go, reentry.go, groups.go, pause_queue.go.
//   - Chains: chain.go, chain_steps.go, chain_events.go, immediate_steps.go, emitted.go, goals.go,
//     reversal.go, migration.go, freeze.go.
//   - Sends: sends.go (order and decision), send_checks.go, caps.go, pending.go (attempts and results).
//   - Experiments: experiments.go (what is counted), rulings.go (when a winner is decided).
//   - Values: evaluate.go, formats.go, local_time.go.
package audit
