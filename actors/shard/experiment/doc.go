// Package experiment counts exposures and conversions for experiments (Tally, on each
// partition) and says from the counts of all partitions where an experiment stands
// (Standing).
package experiment
