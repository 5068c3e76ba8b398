package dispatch

import (
	"encoding/hex"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/message"
	"github.com/nudge-engine/nudge/storage"
)

// A message during which the process ended three times is given up, with the reason; another
// one, and one that ended it less often, is made.
func TestMessageThatEndsTheProcess(t *testing.T) {
	dir := t.TempDir()
	guilty, suspected := output.ID{1}, output.ID{2}
	counts := fmt.Sprintf(`{"%s":3,"%s":2}`, hex.EncodeToString(guilty[:]), hex.EncodeToString(suspected[:]))
	if err := os.WriteFile(filepath.Join(dir, "rendering.json"), []byte(counts), 0o600); err != nil {
		t.Fatal(err)
	}
	marks, err := storage.OpenRendering(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := marks.Close(); err != nil {
			t.Error(err)
		}
	})
	q := &channelQueue{d: &Dispatcher{
		config: Config{Rendering: marks, Logger: slog.New(slog.DiscardHandler)}, renderer: message.NewRenderer(),
	}}
	texts := []program.Field{{Name: "body", Source: "hello"}}
	for id, want := range map[output.ID]output.Reason{
		guilty: output.ReasonCrash, suspected: output.NoReason, {3}: output.NoReason,
	} {
		made, failure := q.render(texts, &output.Delivery{ID: id})
		switch {
		case want == output.NoReason && (failure != nil || made[0].Source != "hello"):
			t.Errorf("%s: made %v, failure %+v", id, made, failure)
		case want != output.NoReason && (failure == nil || failure.Reason != want || failure.Verdict != output.Permanent):
			t.Errorf("%s: made %v, failure %+v; want %s", id, made, failure, want)
		}
	}
	if n := marks.Crashes(suspected); n != 0 {
		t.Errorf("a message that was made is suspected %d times still", n)
	}
}
