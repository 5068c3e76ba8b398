package wire_test

import (
	"bytes"
	"errors"
	"math"
	"testing"

	"github.com/nudge-engine/nudge/internal/wire"
)

func TestRoundTrip(t *testing.T) {
	var b []byte
	b = wire.AppendUint(b, math.MaxUint64)
	b = wire.AppendInt(b, math.MinInt64)
	b = wire.AppendFixed(b, 0x0102030405060708)
	b = wire.AppendBool(b, true)
	b = wire.AppendString(b, "Київ")
	b = wire.AppendBytes(b, nil)

	d := wire.NewDecoder(b)
	if v := d.Uint(); v != math.MaxUint64 {
		t.Errorf("unexpected uint; got %d; want %d", v, uint64(math.MaxUint64))
	}
	if v := d.Int(); v != math.MinInt64 {
		t.Errorf("unexpected int; got %d; want %d", v, math.MinInt64)
	}
	if v := d.Fixed(); v != 0x0102030405060708 {
		t.Errorf("unexpected fixed; got %x", v)
	}
	if !d.Bool() {
		t.Error("unexpected bool; got false; want true")
	}
	if v := d.String(); v != "Київ" {
		t.Errorf("unexpected string; got %q", v)
	}
	if v := d.Bytes(); v != nil {
		t.Errorf("unexpected bytes; got %v; want nil", v)
	}
	if err := d.Done(); err != nil {
		t.Errorf("unexpected error: %v", err)
	}
}

// Every prefix of a valid value is refused, and so is a value with a tail.
func TestTruncatedAndTrailing(t *testing.T) {
	var b []byte
	b = wire.AppendUint(b, 300)
	b = wire.AppendString(b, "abc")
	b = wire.AppendFixed(b, 7)
	read := func(p []byte) error {
		d := wire.NewDecoder(p)
		d.Uint()
		d.Bytes()
		d.Fixed()
		return d.Done()
	}
	for n := range b {
		if err := read(b[:n]); !errors.Is(err, wire.ErrCorrupt) {
			t.Errorf("prefix of %d bytes: unexpected error %v; want ErrCorrupt", n, err)
		}
	}
	if err := read(append(bytes.Clone(b), 0)); !errors.Is(err, wire.ErrCorrupt) {
		t.Errorf("trailing byte: unexpected error %v; want ErrCorrupt", err)
	}
}

func TestCountIsBoundedByBytes(t *testing.T) {
	d := wire.NewDecoder(wire.AppendUint(nil, 1<<40))
	if n := d.Count(1); n != 0 || !errors.Is(d.Err(), wire.ErrCorrupt) {
		t.Errorf("unexpected count %d, error %v; want 0, ErrCorrupt", n, d.Err())
	}
	d = wire.NewDecoder([]byte{2})
	if d.Bool(); !errors.Is(d.Err(), wire.ErrCorrupt) {
		t.Errorf("bool 2: unexpected error %v; want ErrCorrupt", d.Err())
	}
}
