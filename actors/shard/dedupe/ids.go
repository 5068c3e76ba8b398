package dedupe

// idSet is a set of 64-bit hashes: open addressing with linear probing, 8 bytes a
// place. The ids are hashes already, so their low bits say where they go. Go's map
// takes three times the memory.
type idSet struct {
	places []uint64 // a power of two; 0: free
	size   int      // without zero
	zero   bool     // the id 0 is in it
}

// leastPlaces is how many places the smallest set has.
const leastPlaces = 64

func (s *idSet) len() int {
	if s.zero {
		return s.size + 1
	}
	return s.size
}

// add puts id in and says whether it was not there.
func (s *idSet) add(id uint64) bool {
	if id == 0 {
		added := !s.zero
		s.zero = true
		return added
	}
	if 4*(s.size+1) > 3*len(s.places) {
		s.resize(max(leastPlaces, 2*len(s.places)))
	}
	i := s.find(id)
	if s.places[i] == id {
		return false
	}
	s.places[i] = id
	s.size++
	return true
}

// remove takes id out; nothing happens when it is not there.
func (s *idSet) remove(id uint64) {
	if id == 0 {
		s.zero = false
		return
	}
	if s.size == 0 {
		return
	}
	hole := s.find(id)
	if s.places[hole] != id {
		return
	}
	s.size--
	// Backward-shift deletion: an entry whose home slot is at or before the hole moves into it.
	mask := len(s.places) - 1
	for i := (hole + 1) & mask; s.places[i] != 0; i = (i + 1) & mask {
		home := int(s.places[i]) & mask
		if (i-home)&mask >= (i-hole)&mask {
			s.places[hole] = s.places[i]
			hole = i
		}
	}
	s.places[hole] = 0
	if len(s.places) > leastPlaces && 8*s.size < len(s.places) {
		s.resize(len(s.places) / 2)
	}
}

// find is the place of id, or the free one where it would go.
func (s *idSet) find(id uint64) int {
	mask := len(s.places) - 1
	i := int(id) & mask
	for s.places[i] != 0 && s.places[i] != id {
		i = (i + 1) & mask
	}
	return i
}

func (s *idSet) resize(places int) {
	old := s.places
	s.places = make([]uint64, places)
	for _, id := range old {
		if id != 0 {
			s.places[s.find(id)] = id
		}
	}
}
