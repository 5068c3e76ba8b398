package output

// Kind is what a decision is about. The values are stored.
type Kind string

// What a decision can be about: a closed list.
const (
	Entered     Kind = "entered"     // a chain started
	Refused     Kind = "refused"     // a trigger matched and no chain started
	Queued      Kind = "queued"      // an entry is kept until the campaign is active again
	Restarted   Kind = "restarted"   // a live chain was replaced by a new one
	Refreshed   Kind = "refreshed"   // a live chain took the new trigger event
	Sent        Kind = "sent"        // a delivery was handed off
	Ghosted     Kind = "ghost"       // a delivery of a held-out chain: nothing is sent
	Deferred    Kind = "deferred"    // a delivery waits
	Dropped     Kind = "dropped"     // a delivery was not handed off
	Recalled    Kind = "recalled"    // a handed-off delivery may no longer leave
	Retried     Kind = "retried"     // a failed attempt is repeated
	Delivered   Kind = "delivered"   // the channel took the delivery
	Failed      Kind = "failed"      // the delivery failed for good
	Converted   Kind = "converted"   // a goal was reached
	Reversed    Kind = "reversed"    // a goal was taken back
	Replanned   Kind = "replanned"   // a new version moved the timer of a chain; the detail is when it is due
	Ended       Kind = "ended"       // a chain ended
	Erred       Kind = "erred"       // an expression could not be evaluated
	Deadletter  Kind = "dead_letter" // a record was put aside
	Deduplicate Kind = "duplicate"   // a record was seen before
	Assigned    Kind = "assigned"    // an experiment sent the chain one of its ways
	Updated     Kind = "updated"     // a step changed the profile
	Emitted     Kind = "emitted"     // a step made an event
	Started     Kind = "started"     // a step asked for a chain of another campaign
	Decided     Kind = "decided"     // an experiment has a winner; of no customer
	Blocked     Kind = "blocked"     // an experiment is not decided while its shares are wrong; of no customer
	Forgotten   Kind = "forgotten"   // an anonymous customer was removed
	Merged      Kind = "merged"      // an anonymous customer became a known one; the detail is the other of the two
	Erased      Kind = "erased"      // the customer was erased; the detail is the keyed hash
	Arrived     Kind = "arrived"     // a chain came with a merge; the detail is from whom
)

// Reason is why a decision turned out as it did. The values are stored and are part of the interface:
// users query them, and docs/reference/reasons.md explains each.
type Reason string

// The reasons of decisions: a closed list, documented in docs/reference/reasons.md.
const (
	NoReason         Reason = ""
	ReasonTooOld     Reason = "too_old"           // event time older than max_event_age
	ReasonHistorical Reason = "historical"        // the event was marked historical
	ReasonOnce       Reason = "already_entered"   // reentry mode once
	ReasonCooldown   Reason = "cooldown"          // reentry mode cooldown, not over yet
	ReasonActive     Reason = "already_active"    // max_active live chains of this key
	ReasonAudience   Reason = "audience"          // the audience does not hold
	ReasonConverted  Reason = "already_converted" // a later goal event was seen already
	ReasonStopped    Reason = "already_stopped"   // a later stop event was seen already
	ReasonHistory    Reason = "history_unknown"   // counting began after the customer was known
	ReasonTooMany    Reason = "too_many_chains"   // MaxLiveChains reached
	ReasonKey        Reason = "no_key"            // the reentry key could not be evaluated
	ReasonKeys       Reason = "too_many_keys"     // more keys of the campaign than are remembered
	ReasonPeriod     Reason = "outside_period"    // before the campaign's from, or at or after its until
	ReasonStates     Reason = "too_many_states"   // more triggers keep state of the customer than allowed
	ReasonMissed     Reason = "missed"            // the instant of a date is further past than catch_up
	ReasonDate       Reason = "bad_date"          // the attribute of a date trigger is no date
	ReasonBulkScans  Reason = "too_many_tours"    // too many broadcasts are still on their way to all customers
	ReasonTraits     Reason = "too_many_traits"   // the traits would be too large; they stay as they were
	ReasonPending    Reason = "too_many_pending"  // too many deliveries wait for their result
	ReasonVariable   Reason = "missing_variable"  // the message names a value that is missing
	ReasonLate       Reason = "late"              // more than five minutes late, and the campaign says so
	ReasonChainEnd   Reason = "chain_stopped"     // the chain was stopped before the delivery left
	ReasonExpired    Reason = "expired"           // the delivery did not leave in time
	ReasonTemporary  Reason = "temporary"         // the channel failed and may work later
	ReasonPermanent  Reason = "permanent"         // the channel refused for good
	ReasonAttempts   Reason = "attempts"          // no attempt is left
	ReasonLimit      Reason = "template_limit"    // a text of the message exceeds the limits of templates
	ReasonTemplate   Reason = "template_error"    // a text of the message cannot be made of its values
	ReasonCrash      Reason = "template_crash"    // the process ended several times while the message was made
	ReasonEgress     Reason = "egress_refused"    // the address of the channel may not be reached
	ReasonGoal       Reason = "goal"              // ended by a goal
	ReasonStop       Reason = "stop"              // ended by a stop rule
	ReasonCompleted  Reason = "completed"         // the last step was done
	ReasonExit       Reason = "exit"              // an exit step
	ReasonRestarted  Reason = "restarted"         // replaced by a new chain
	ReasonStepGone   Reason = "step_removed"      // a new version has no such step
	ReasonArchived   Reason = "archived"          // the campaign is no longer active
	ReasonEvaluation Reason = "evaluation"        // an expression failed
	ReasonOff        Reason = "sends_off"         // sends are switched off
	ReasonDisturb    Reason = "do_not_disturb"    // the customer must not be disturbed
	ReasonNoConsent  Reason = "consent"           // no consent to the category
	ReasonPreference Reason = "preference"        // the customer does not want the channel
	ReasonQuiet      Reason = "quiet_hours"       // nothing is sent at this hour
	ReasonCap        Reason = "cap"               // a cap is full
	ReasonConflict   Reason = "conflict"          // another chain of the group goes first
	ReasonDedupe     Reason = "dedupe"            // another chain holds the dedupe key
	ReasonGroup      Reason = "group"             // a chain of the group is live
	ReasonPreempted  Reason = "preempted"         // ended by a chain of its group with a higher priority
	ReasonConsent    Reason = "bad_consent"       // a consent that cannot be read or kept
	ReasonNumber     Reason = "bad_number"        // a text where an amount is asked for
	ReasonZone       Reason = "bad_timezone"      // a time zone that is none
	ReasonMalformed  Reason = "malformed"         // a record cannot be read
	ReasonPanic      Reason = "panic"             // a bug: applying the record failed
	ReasonRejected   Reason = "rejected"          // refused by ingest
	ReasonSkipped    Reason = "skipped"           // passed over by a skip record

	ReasonReversed    Reason = "reversed"         // an event that the goal names in reverse_on
	ReasonVersion     Reason = "new_version"      // a new version says that live chains end
	ReasonInactive    Reason = "not_active"       // the campaign is a draft or archived
	ReasonPaused      Reason = "paused"           // the campaign is paused
	ReasonDepth       Reason = "emit_depth"       // an event of an event, deeper than allowed
	ReasonTooManyMade Reason = "too_many_emitted" // one record led to too many others
	ReasonTooLarge    Reason = "too_large"        // an emitted event is over its limit
	ReasonErased      Reason = "erased"           // the customer was erased
	ReasonMerged      Reason = "merged"           // the customer merged, or another chain goes on after it
	ReasonMergedElse  Reason = "already_merged"   // the anonymous customer merged into another one before
	ReasonMerges      Reason = "too_many_merges"  // the known customer took as many anonymous ones as allowed
	ReasonGap         Reason = "transfer_gap"     // a transfer between two customers is missing
	ReasonState       Reason = "state_too_large"  // a state that merges is over its limit
	ReasonNoCampaign  Reason = "no_campaign"      // a start step names a campaign that is not in force
	ReasonConfidence  Reason = "confidence"       // the variant is the best with the confidence asked for
	ReasonDeadline    Reason = "deadline"         // the experiment's deadline has passed
	ReasonRatio       Reason = "sample_ratio"     // chance does not give such shares of the variants
	ReasonIdle        Reason = "idle"             // an anonymous customer had no record for long
)

// Outcome is the state of a chain: live, or how it ended. The values are stored.
type Outcome string

// How a chain stands or ended: a closed list.
const (
	// Active is the outcome of a live chain; all others are final.
	Active Outcome = "active"
	// Completed: the chain did its last step.
	Completed Outcome = "completed"
	// ByGoal: a goal that stops the chain was reached.
	ByGoal Outcome = "goal"
	// Stopped: a stop rule matched, or a new chain replaced this one.
	Stopped Outcome = "stopped"
	// Exited: an exit step, a failure, or a change of the campaign ended it; the reason says which.
	Exited Outcome = "exited"
	// Preempted: a chain of the same group with a higher priority took its place.
	Preempted Outcome = "preempted"
	Expired   Outcome = "expired"
	Moved     Outcome = "merged" // it goes on, or another one does, after a merge
)
