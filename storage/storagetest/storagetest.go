// Package storagetest is the conformance suite of storage.Store: every
// implementation runs it.
package storagetest

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/nudge-engine/nudge/storage"
)

// Run runs the suite; open returns an empty store, and crash what would be found
// after the process died at that moment.
func Run(t *testing.T, open func(t *testing.T) storage.Store, crash func(t *testing.T, s storage.Store) storage.Store) {
	t.Helper()
	t.Run("batch is applied in order", func(t *testing.T) { order(t, open(t)) })
	t.Run("scan keeps to the prefix, in byte order", func(t *testing.T) { scan(t, open(t)) })
	t.Run("empty value is not absent", func(t *testing.T) { empty(t, open(t)) })
	t.Run("concurrent commits", func(t *testing.T) { concurrent(t, open(t)) })
	t.Run("a crash keeps whole batches", func(t *testing.T) { crashes(t, open(t), crash) })
}

func get(t *testing.T, s storage.Store, key string) []byte {
	t.Helper()
	v, err := s.Get([]byte(key))
	if err != nil {
		t.Fatalf("get %q: %v", key, err)
	}
	return v
}

func commit(t *testing.T, s storage.Store, fill func(b *storage.Batch)) {
	t.Helper()
	b := new(storage.Batch)
	fill(b)
	if err := s.Commit(b); err != nil {
		t.Fatalf("commit: %v", err)
	}
}

func closing(t *testing.T, s storage.Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

func order(t *testing.T, s storage.Store) {
	t.Helper()
	defer closing(t, s)
	commit(t, s, func(b *storage.Batch) {
		b.Set([]byte("x"), []byte("1"))
		b.Set([]byte("y"), []byte("1"))
		b.Delete([]byte("x"))
		b.Set([]byte("y"), []byte("2"))
	})
	if v := get(t, s, "x"); v != nil {
		t.Errorf("x: unexpected %q; want nothing", v)
	}
	if v := get(t, s, "y"); string(v) != "2" {
		t.Errorf("y: unexpected %q; want 2", v)
	}
}

func scan(t *testing.T, s storage.Store) {
	t.Helper()
	defer closing(t, s)
	commit(t, s, func(b *storage.Batch) {
		for _, k := range []string{"p\xff\xffz", "b", "p\xff\xff", "p\xff", "p\xff\xff\x00", "q"} {
			b.Set([]byte(k), []byte(k))
		}
	})
	var got []string
	err := s.Scan([]byte("p\xff\xff"), func(k, v []byte) error {
		if !bytes.Equal(k, v) {
			return fmt.Errorf("key %q has value %q", k, v)
		}
		got = append(got, string(k))
		return nil
	})
	want := []string{"p\xff\xff", "p\xff\xff\x00", "p\xff\xffz"}
	if err != nil || fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
		t.Errorf("unexpected scan %q, error %v; want %q", got, err, want)
	}
	for after, want := range map[string]string{
		"a": `["p\xff\xff" "p\xff\xff\x00" "p\xff\xffz"]`, "p\xff\xff": `["p\xff\xff\x00" "p\xff\xffz"]`,
		"p\xff\xffa": `["p\xff\xffz"]`, "p\xff\xffz": `[]`, "q": `[]`,
	} {
		got = got[:0]
		err := s.ScanAfter([]byte("p\xff\xff"), []byte(after), func(k, _ []byte) error {
			got = append(got, string(k))
			return nil
		})
		if err != nil || fmt.Sprintf("%q", got) != want {
			t.Errorf("after %q: unexpected %q, error %v; want %s", after, got, err, want)
		}
	}
	stop := errors.New("stop")
	if err := s.Scan([]byte("p"), func(_, _ []byte) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("unexpected error %v; want the callback's", err)
	}
}

func empty(t *testing.T, s storage.Store) {
	t.Helper()
	defer closing(t, s)
	commit(t, s, func(b *storage.Batch) { b.Set([]byte("x"), nil) })
	if v := get(t, s, "x"); v == nil || len(v) != 0 {
		t.Errorf("unexpected %v; want empty and present", v)
	}
}

func concurrent(t *testing.T, s storage.Store) {
	t.Helper()
	defer closing(t, s)
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for w := range errs {
		wg.Go(func() {
			for i := range 50 {
				b := new(storage.Batch)
				b.Set(fmt.Appendf(nil, "k%d/%d", w, i), []byte("v"))
				errs[w] = errors.Join(errs[w], s.Commit(b))
			}
		})
	}
	wg.Wait()
	n := 0
	err := s.Scan([]byte("k"), func(_, _ []byte) error { n++; return nil })
	if err = errors.Join(errors.Join(errs...), err); err != nil || n != 400 {
		t.Errorf("unexpected %d keys, error %v; want 400", n, err)
	}
}

func crashes(t *testing.T, s storage.Store, crash func(t *testing.T, s storage.Store) storage.Store) {
	t.Helper()
	for i := range 20 {
		commit(t, s, func(b *storage.Batch) {
			b.Set([]byte("a"), fmt.Append(nil, i))
			b.Set([]byte("b"), fmt.Append(nil, i))
		})
	}
	after := crash(t, s)
	defer closing(t, after)
	if a, b := get(t, after, "a"), get(t, after, "b"); string(a) != "19" || string(b) != "19" {
		t.Errorf("unexpected a=%q b=%q after a crash; want 19 and 19", a, b)
	}
	closing(t, s)
}
