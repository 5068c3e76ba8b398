package sim

import "container/heap"

// occurrence is something that happens at an instant. Those of one instant happen
// in the order in which they were planned.
type occurrence struct {
	at    int64 // ms
	order uint64
	do    func()
}

// queue is a total order of occurrences: ties are impossible.
type queue struct {
	heap  occurrences
	order uint64
}

func (q *queue) push(at int64, do func()) {
	q.order++
	heap.Push(&q.heap, occurrence{at: at, order: q.order, do: do})
}

func (q *queue) pop() occurrence {
	o, _ := heap.Pop(&q.heap).(occurrence)
	return o
}

//nolint:recvcheck // container/heap wants it so
type occurrences []occurrence

func (h occurrences) Len() int { return len(h) }

func (h occurrences) Less(i, j int) bool {
	return h[i].at < h[j].at || h[i].at == h[j].at && h[i].order < h[j].order
}

func (h occurrences) Swap(i, j int) { h[i], h[j] = h[j], h[i] }

// Push implements heap.Interface.
func (h *occurrences) Push(x any) {
	o, _ := x.(occurrence)
	*h = append(*h, o)
}

// Pop implements heap.Interface.
func (h *occurrences) Pop() any {
	last := len(*h) - 1
	o := (*h)[last]
	(*h)[last] = occurrence{}
	*h = (*h)[:last]
	return o
}
