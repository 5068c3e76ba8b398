package blocks_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/nudge-engine/nudge/stream"
	"github.com/nudge-engine/nudge/stream/blocks"
)

const messages = 12

// written is the directory of a log whose stream holds messages of different sizes.
func written(t *testing.T, name string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	l := open(t, dir)
	s := openStream(t, l, name)
	for n := 1; n <= messages; n++ {
		if _, err := stream.AppendWait(t.Context(), s, stream.Append{Data: body(n)}); err != nil {
			t.Fatal(err)
		}
	}
	closed(t, l)
	return dir
}

func body(n int) []byte {
	var b stream.Builder
	b.Add(stream.KindEvent, bytes.Repeat([]byte{byte(n)}, 7*n))
	return bytes.Clone(b.Seal(int64(1000 * n)))
}

func open(t *testing.T, dir string) *stream.JetStream {
	t.Helper()
	l, err := stream.OpenEmbedded(stream.EmbeddedConfig{Dir: dir, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func openStream(t *testing.T, l stream.Log, name string) stream.Stream {
	t.Helper()
	s, err := l.Open(t.Context(), name, stream.Options{MaxBytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func closed(t *testing.T, l stream.Log) {
	t.Helper()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

func block(t *testing.T, dir, name string) (at, file string, text []byte) {
	t.Helper()
	streams, err := blocks.Streams(dir)
	if err != nil || streams[name] == "" {
		t.Fatalf("streams %v, error %v", streams, err)
	}
	file = filepath.Join(streams[name], "msgs", "1.blk")
	text, err = os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return streams[name], file, text
}

func rewrite(t *testing.T, file string, text []byte) {
	t.Helper()
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// Whatever byte is wrong, it is found, and one message at most is said to be lost.
func TestEveryByte(t *testing.T) {
	at, file, text := block(t, written(t, "EV_0"), "EV_0")
	if found, err := blocks.Scan("EV_0", at, 1<<20); err != nil || len(found) != 0 {
		t.Fatalf("a whole block: found %v, error %v", found, err)
	}
	unseen := 0
	for i := range text {
		for _, bit := range []byte{1, 0x80} {
			bad := bytes.Clone(text)
			bad[i] ^= bit
			rewrite(t, file, bad)
			found, err := blocks.Scan("EV_0", at, 1<<20)
			if err != nil || len(found) > 1 {
				t.Fatalf("byte %d: found %v, error %v", i, found, err)
			}
			if len(found) == 0 {
				unseen++
				continue
			}
			if d := found[0]; d.Last > d.First || d.Offset > int64(i) || d.Offset+d.Length <= int64(i) {
				t.Errorf("byte %d: %+v", i, d)
			}
		}
	}
	// The lowest bit of the subject's length moves the border of subject and body,
	// which the checksum does not know. The frame's own checksum does.
	if unseen > messages {
		t.Errorf("%d of %d flips were not seen", unseen, 2*len(text))
	}
}

// The end that was not written when the machine stopped is no damage.
func TestTornTail(t *testing.T) {
	dir := written(t, "EV_0")
	l := open(t, dir)
	large := bytes.Repeat([]byte{0x55}, 3000)
	if _, err := stream.AppendWait(t.Context(), openStream(t, l, "EV_0"), stream.Append{Data: large}); err != nil {
		t.Fatal(err)
	}
	closed(t, l)
	at, file, text := block(t, dir, "EV_0")
	for from := (len(text) - 2500) / 512 * 512; from < len(text); from += 512 {
		torn := bytes.Clone(text)
		clear(torn[from:])
		rewrite(t, file, torn)
		if found, err := blocks.Scan("EV_0", at, 1<<20); err != nil || len(found) > 0 {
			t.Fatalf("not written from %d of %d on: found %v, error %v", from, len(text), found, err)
		}
	}
	for from := len(text) - 2500; from < len(text)-600; from += 777 {
		bad := bytes.Clone(text)
		clear(bad[from : from+512])
		rewrite(t, file, bad)
		if found, err := blocks.Scan("EV_0", at, 1<<20); err != nil || len(found) != 1 {
			t.Fatalf("zeros at %d of %d, and more behind: found %v, error %v", from, len(text), found, err)
		}
	}
	last := len(text) - 60
	for n := last; n < len(text); n++ {
		for _, torn := range [][]byte{text[:n], append(bytes.Clone(text[:n:n]), make([]byte, len(text)-n)...)} {
			rewrite(t, file, torn)
			if found, err := blocks.Scan("EV_0", at, 1<<20); err != nil || len(found) > 0 && len(torn) == n {
				t.Fatalf("cut at %d of %d: found %v, error %v", n, len(text), found, err)
			}
		}
	}
}

// After a flipped bit the log opens with every other message under its number, and
// with one that says what is lost; the numbering goes on.
func TestMended(t *testing.T) {
	dir := written(t, "EV_0")
	_, file, text := block(t, dir, "EV_0")
	for _, i := range []int{0, 3, 5, 25, 40, 200, 300, 500, len(text) / 2, len(text) - 100, len(text) - 3} {
		t.Run(fmt.Sprintf("byte %d", i), func(t *testing.T) {
			copied := t.TempDir()
			if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
				t.Fatal(err)
			}
			_, file, _ := block(t, copied, "EV_0")
			bad := bytes.Clone(text)
			bad[i] ^= 4
			rewrite(t, file, bad)
			mended(t, copied, "EV_0", 1)
		})
	}
	// Several at once, one of them in the header.
	bad := bytes.Clone(text)
	for _, i := range []int{2, 90, 91, 400, 700} {
		bad[i] ^= 0x10
	}
	rewrite(t, file, bad)
	mended(t, dir, "EV_0", 4)
}

func mended(t *testing.T, dir, name string, most int) {
	t.Helper()
	l := open(t, dir)
	defer closed(t, l)
	s := openStream(t, l, name)
	if n, err := stream.AppendWait(t.Context(), s, stream.Append{Data: body(99)}); err != nil || n != messages+1 {
		t.Fatalf("the next message has number %d, error %v", n, err)
	}
	lost := 0
	for n := uint64(1); n <= messages; n++ {
		m, err := s.Get(t.Context(), n)
		if err != nil {
			t.Fatalf("message %d: %v", n, err)
		}
		if bytes.Equal(m.Data, body(int(n))) {
			continue
		}
		lost++
		f, err := stream.DecodeFrame(m.Data)
		if err != nil || len(f.Records) != 1 || f.Records[0].Kind != stream.KindLost {
			t.Errorf("message %d is %v, error %v", n, f, err)
		}
	}
	if lost == 0 || lost > most {
		t.Errorf("%d messages are lost; want 1..%d", lost, most)
	}
	kept, err := filepath.Glob(filepath.Join(dir, "damaged", name+"-1.blk-*"))
	if err != nil || len(kept) == 0 {
		t.Errorf("no copy was kept: %v", err)
	}
}

// Effects are cut off where the damage is, a channel's deliveries lose the one that
// is damaged, and without the control records nothing starts.
func TestOtherStreams(t *testing.T) {
	for name, want := range map[string]uint64{"FX_0": 5, "SEND_x": messages} {
		dir := written(t, name)
		damage(t, dir, name)
		l := open(t, dir)
		info, err := openStream(t, l, name).Info(context.Background())
		if err != nil || info.Last != want {
			t.Errorf("%s ends at %d, error %v; want %d", name, info.Last, err, want)
		}
		closed(t, l)
	}
	dir := written(t, stream.ControlStream)
	damage(t, dir, stream.ControlStream)
	_, err := stream.OpenEmbedded(stream.EmbeddedConfig{Dir: dir, Logger: slog.New(slog.DiscardHandler)})
	if !errors.Is(err, stream.ErrDamaged) {
		t.Errorf("a damaged control stream: %v", err)
	}
}

// damage flips a bit in the body of message 6.
func damage(t *testing.T, dir, name string) {
	t.Helper()
	_, file, text := block(t, dir, name)
	at := bytes.Index(text, bytes.Repeat([]byte{6}, 40))
	if at < 0 {
		t.Fatal("message 6 is not there")
	}
	text[at] ^= 1
	rewrite(t, file, text)
}
