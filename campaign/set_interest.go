package campaign

import "sort"

// indexInterest notes which records a program's trigger wants to see.
func (s *Set) indexInterest(p *Program) {
	wants := p.Trigger.interest()
	if _, ok := p.Trigger.(*SegmentTrigger); ok {
		s.segments = append(s.segments, p)
	}
	if wants.always {
		s.always = append(s.always, p)
		return
	}
	for _, name := range wants.names {
		if all := s.triggers[name]; len(all) == 0 || all[len(all)-1] != p {
			s.triggers[name] = append(all, p)
		}
	}
}

// addAlways puts the programs that look at every record among those of each name.
func (s *Set) addAlways() {
	if len(s.always) == 0 {
		return
	}
	s.triggers[identifyName] = append([]*Program(nil), s.triggers[identifyName]...)
	for name, all := range s.triggers { //nudge:unordered each is handled alone
		all = append(all, s.always...)
		sort.Slice(all, func(i, j int) bool { return all[i].Name < all[j].Name })
		s.triggers[name] = all
	}
}
