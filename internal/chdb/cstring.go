package chdb

import "unsafe"

// bytesOf returns the first byte of s for a call that also takes its length.
// An empty string is NULL, which the engine accepts with length 0.
func bytesOf(s string) *byte { return unsafe.StringData(s) }

// goString copies a NUL-terminated string of the engine; NULL is "".
func goString(p *byte) string {
	if p == nil {
		return ""
	}
	n := 0
	for *(*byte)(unsafe.Add(unsafe.Pointer(p), n)) != 0 {
		n++
	}
	return string(unsafe.Slice(p, n))
}

// argv builds a NULL-terminated C argument vector. The caller keeps the
// returned slice alive during the call: it holds the strings.
func argv(args []string) []*byte {
	vec := make([]*byte, 0, len(args)+1)
	for _, a := range args {
		vec = append(vec, &append([]byte(a), 0)[0])
	}
	return append(vec, nil)
}

// vectors are the four parallel arrays in which the engine takes named
// parameters.
type vectors struct {
	names, values       []*byte
	nameLens, valueLens []uint64
}

// vectorsOf returns params in the form of the engine. The result must be kept alive during
// the call.
func vectorsOf(params []Param) *vectors {
	v := &vectors{}
	for _, p := range params {
		v.names = append(v.names, bytesOf(p.Name))
		v.nameLens = append(v.nameLens, uint64(len(p.Name)))
		// The engine dereferences values, also empty ones: never NULL.
		value := append([]byte(p.Value), 0)
		v.values = append(v.values, &value[0])
		v.valueLens = append(v.valueLens, uint64(len(p.Value)))
	}
	return v
}

// first returns the address of a slice's array, NULL when it is empty.
func first[T any](s []T) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(s)) }
