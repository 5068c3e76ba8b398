package simulate_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/nudge-engine/nudge/campaign"
	"github.com/nudge-engine/nudge/internal/definition"
	"github.com/nudge-engine/nudge/internal/simulate"
)

// Each block of docs/campaigns.md is a whole file: checked as nudge check does, and its
// scenarios hold.
func TestCampaignsPage(t *testing.T) {
	lang, err := campaign.NewLanguage()
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../../docs/campaigns.md")
	if err != nil {
		t.Fatal(err)
	}
	scenarios := 0
	for i, block := range strings.Split(string(page), "```yaml\n")[1:] {
		text, _, _ := strings.Cut(block, "```\n")
		file := definition.File{Name: fmt.Sprintf("block %d", i+1), Text: []byte(text)}
		docs, err := definition.Parse(lang, []definition.File{file}, definition.Options{})
		if err != nil {
			t.Error(err)
			continue
		}
		for i := range docs {
			sc := docs[i].Scenario
			if sc == nil {
				continue
			}
			scenarios++
			wrong, err := simulate.RunScenario(lang, docs, sc)
			if err != nil {
				t.Errorf("%s: %v", sc.Name, err)
			}
			for _, m := range wrong {
				t.Errorf("%s %s: %s", file.Name, sc.Name, m)
			}
		}
	}
	if scenarios < 10 {
		t.Errorf("only %d scenarios were found", scenarios)
	}
}
