package campaign

// indexInterest notes which records a program's trigger wants to see.
func (s *Set) indexInterest(p *Program) {
	wants := p.Trigger.interest()
	if _, is := p.Trigger.(*SegmentTrigger); is || p.watchesClock() {
		s.segments = append(s.segments, p)
	}
	for _, name := range wants.names {
		if all := s.triggers[name]; len(all) == 0 || all[len(all)-1] != p {
			s.triggers[name] = append(all, p)
		}
	}
}
