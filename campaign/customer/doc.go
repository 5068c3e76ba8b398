// Package customer is the whole state of one customer and its stored form: profile, counters,
// recent events, chains, armed timers, consents and what policies count.
//
// The stored form has a fixed part and sections: what only some customers have is a section
// with a tag of its own, and customers without it pay nothing for it. Tags are part of the
// format and are never used again for something else.
package customer
