package program

// MostSends is the largest sum of weights of the sends that one chain can come to less than window
// (ms) after one another, for a customer who never reacts: waits last until their timeout, and of
// branches and experiments the way that sends most is taken. A step until a time of day counts as a
// day; loops are not followed. It answers whether a campaign can exceed a cap by itself: with a
// weight of 1 for each send that the cap counts, and the cap's window, a result above its limit
// means that the campaign always loses messages.
func (p *Program) MostSends(window int64, weigh func(step string, s *Send) int) int {
	most := 0
	for i, at := range p.silent(0, 0, nil) {
		s, sends := p.Steps[i].Verb.(*Send)
		if !sends || len(at) == 0 {
			continue
		}
		// Of all ways from here: the earliest instant for each sum of weights.
		for j, ways := range p.silent(i, at[0], weigh) {
			for sum, instant := range ways {
				v, more := p.Steps[j].Verb.(*Send)
				if instant < 0 || !more || instant-at[0] >= window {
					continue
				}
				most = max(most, sum+weigh(p.Steps[j].ID, v))
			}
		}
		most = max(most, weigh(p.Steps[i].ID, s))
	}
	return most
}

// silent walks from a step that is reached at an instant. For each step it gives, by
// the weight of the sends passed before it, the earliest instant at which a customer who
// never reacts comes to it; -1 where no way has that weight. Without weigh all weights
// are 0.
func (p *Program) silent(from int, at int64, weigh func(step string, s *Send) int) [][]int64 {
	ways := make([][]int64, len(p.Steps))
	if from >= len(p.Steps) {
		return ways
	}
	ways[from] = []int64{at}
	for i := from; i < len(p.Steps); i++ { // forward only, so each step is final when it is looked at
		for sum, instant := range ways[i] {
			if instant < 0 {
				continue
			}
			if v, sends := p.Steps[i].Verb.(*Send); sends && weigh != nil {
				sum += weigh(p.Steps[i].ID, v)
			}
			leave := instant + p.Steps[i].Verb.Timer().silent(instant)
			for _, target := range p.Steps[i].Verb.silentTargets(p.After(i)) {
				to, known := p.StepIndex[target]
				if !known || to <= i {
					continue
				}
				for len(ways[to]) <= sum {
					ways[to] = append(ways[to], -1)
				}
				if old := ways[to][sum]; old < 0 || leave < old {
					ways[to][sum] = leave
				}
			}
		}
	}
	return ways
}
