// Package dispatch sends deliveries through channels (design R9).
//
//	FX_<p> --copier--> SEND_<channel> --worker--> channel
//	                                     |
//	                   result record into EV_<p>, through the publisher
//
// A copier copies the deliveries of a partition into a stream for each channel,
// so that a slow channel holds up nobody else. A worker asks the customer's shard
// before each attempt whether the delivery may still leave, renders it, hands it
// to the channel and publishes the result, whatever it is; when to try again is
// the shard's decision. A crash repeats an attempt under the same delivery id.
package dispatch
