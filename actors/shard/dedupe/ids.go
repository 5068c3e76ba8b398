package dedupe

// idSet is a set of 64-bit hashes with open addressing and linear probing, 8 bytes a
// place. Its elements are hashes already, so their low bits serve as the place where
// probing starts. Go's map takes three times the memory. The zero value is an empty set.
type idSet struct {
	// places has a length that is a power of two and is at most three quarters full; 0
	// marks a free place.
	places []uint64 // a power of two; 0: free
	size   int      // elements in places
	zero   bool     // the set contains 0, which cannot be in places
}

// leastPlaces is the smallest number of places, 512 bytes; a set never shrinks below it.
const leastPlaces = 64

// len returns the number of elements.
func (s *idSet) len() int {
	if s.zero {
		return s.size + 1
	}
	return s.size
}

// add adds id and reports whether it was missing.
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

// remove removes id; it does nothing if id is missing.
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

// find returns the index of id in places, or of the free place where it belongs.
func (s *idSet) find(id uint64) int {
	mask := len(s.places) - 1
	i := int(id) & mask
	for s.places[i] != 0 && s.places[i] != id {
		i = (i + 1) & mask
	}
	return i
}

// resize moves the elements into as many places.
func (s *idSet) resize(places int) {
	old := s.places
	s.places = make([]uint64, places)
	for _, id := range old {
		if id != 0 {
			s.places[s.find(id)] = id
		}
	}
}
