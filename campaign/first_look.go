package campaign

import "sort"

// looking are the programs whose trigger looks at a record of a name, by name. A
// customer's first record is looked at by every segment: they come to be, and may be in
// one from the start (who has not bought yet).
func (s *Set) looking(event string, first bool) []*Program {
	all := s.triggered(event)
	if !first || len(s.segments) == 0 {
		return all
	}
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
