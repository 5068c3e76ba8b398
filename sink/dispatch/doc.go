// Package dispatch sends deliveries through channels. The server runs one Dispatcher;
// what it decides is in package plan, where the simulation can drive it, and which
// addresses it may reach in package egress.
//
//	FX_<p> --copier--> SEND_<channel> --worker--> channel
//	                                     |
//	                   result record into EV_<p>, through the publisher
//
// A copier copies the deliveries of a partition into a stream for each channel, so that a
// slow channel delays no other. A worker asks the customer's shard before each attempt
// whether the delivery may still leave, renders it, hands it to the channel and publishes
// the result, whatever it is; whether and when to try again is the shard's decision. A
// crash repeats an attempt under the same delivery id, so receivers can recognise it:
// external sends are at least once.
//
// Copiers also forward the transfers of customers who merged to the partitions of their
// receivers.
//
// Files in reading order: dispatcher.go, copy.go with send_batch.go and transfers.go,
// channel_queue.go with batch_run.go, channel.go with console.go and webhook.go.
package dispatch
