package machine

import (
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/cel-go/common/types"

	"github.com/nudge-engine/nudge/campaign/expr"
)

// eachZoneFunction are expressions with what they give at the first instant of 2026 by UTC.
//
//nudge:constant read only
var eachZoneFunction = map[string]types.Int{
	`now.getFullYear("America/New_York")`:     2025,
	`now.getMonth("America/New_York")`:        11,
	`now.getDayOfYear("America/New_York")`:    364,
	`now.getDayOfMonth("America/New_York")`:   30,
	`now.getDate("America/New_York")`:         31,
	`now.getDayOfWeek("America/New_York")`:    3,
	`now.getHours("America/New_York")`:        19,
	`now.getHours("america/new_york")`:        19, // names in any case, as everywhere
	`now.getHours("+05:30")`:                  5,
	`now.getHours("GMT-8")`:                   16,
	`now.getHours("UTC")`:                     0,
	`now.getMinutes("Asia/Kathmandu")`:        45,
	`now.getSeconds("Europe/Kyiv")`:           1,
	`now.getMilliseconds("Europe/Kyiv")`:      500,
	`dyn(now).getHours(dyn("Europe/Kyiv"))`:   2,
	`now.getHours()`:                          0,
	`duration("90m").getHours()`:              1,
	`timestamp(now).getHours("Europe/Kyiv")`:  2,
	`[now][0].getHours("Europe/" + "Kyiv")`:   2,
	`now.getHours(["Europe/Kyiv"][0])`:        2,
	`(now + duration("1h")).getHours("Zulu")`: 1,
}

// Functions of a time in a zone know the zones of package zone, whatever the machine has.
func TestZoneFunctions(t *testing.T) {
	lang, err := expr.NewLanguage()
	if err != nil {
		t.Fatal(err)
	}
	value := func(source string) any {
		t.Helper()
		e, err := lang.Compile(source, nil)
		if err != nil {
			t.Fatalf("%s: %v", source, err)
		}
		v, _, err := e.Program.Eval(map[string]any{"now": expr.CELTime(1767225601500)})
		if err != nil {
			return err
		}
		return v
	}
	for source, want := range eachZoneFunction {
		if got := value(source); got != want {
			t.Errorf("%s is %v; want %v", source, got, want)
		}
	}
	for _, source := range []string{
		`now.getHours("Nowhere/Land")`, `now.getHours("")`, `now.getHours("Local")`, `now.getHours("25:00")`,
		`now.getHours("../../etc/passwd")`,
	} {
		if got, failed := value(source).(error); !failed {
			t.Errorf("%s is %v; want an error", source, got)
		}
	}
}

// The machine's database has no say: with one in which Kyiv is nine hours ahead the answers are
// the same.
func TestZoneFunctionsElsewhere(t *testing.T) {
	if os.Getenv("ZONEINFO") != "" {
		if wrong, err := time.LoadLocation("Europe/Kyiv"); err != nil || time.UnixMilli(0).In(wrong).Hour() != 9 {
			t.Fatalf("the machine's database is not the false one: %v", err)
		}
		TestZoneFunctions(t)
		return
	}
	dir := t.TempDir()
	false9 := append([]byte("TZif"), make([]byte, 40)...)
	false9[39], false9[43] = 1, 4 // one type of time, and the four bytes of its name
	false9 = append(binary.BigEndian.AppendUint32(false9, 9*3600), "\x00\x00XXX\x00"...)
	if err := errors.Join(os.Mkdir(filepath.Join(dir, "Europe"), 0o700),
		os.WriteFile(filepath.Join(dir, "Europe", "Kyiv"), false9, 0o600)); err != nil {
		t.Fatal(err)
	}
	again := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestZoneFunctionsElsewhere$")
	again.Env = append(os.Environ(), "ZONEINFO="+dir)
	if text, err := again.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, text)
	}
}
