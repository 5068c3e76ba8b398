// Package wheel is a hierarchical timing wheel that returns timers in a total order, by
// instant and then by key, so that a replay fires them as the first run did.
package wheel
