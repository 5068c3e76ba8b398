package campaign

import "sort"

// withSegments adds to the programs that look at a record those that look at a segment,
// by name: a customer's first record is looked at by every segment. They come to be, and
// may be in one from the start (who has not bought yet).
func (s *Set) withSegments(all []*Program) []*Program {
	merged := append(make([]*Program, 0, len(all)+len(s.segments)), all...)
	for _, p := range s.segments {
		at := sort.Search(len(all), func(i int) bool { return all[i].Name >= p.Name })
		if at == len(all) || all[at] != p {
			merged = append(merged, p)
		}
	}
	sort.Slice(merged, func(i, j int) bool { return merged[i].Name < merged[j].Name })
	return merged
}
