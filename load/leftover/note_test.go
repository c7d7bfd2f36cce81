package leftover

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const (
	aRun   = `{"soak_registry":1,"run":"dead0000","replica":3,"beat":7,"after":"30m0s","protocol":"http","epochs":[{"stores":10,"metadata":100},{"stores":2,"metadata":0}]}`
	aClaim = `{"soak_registry":1,"run":"dead0000","replica":3,"by":"beef0000-1","sweeping":true,"beat":1,"after":"1m0s","protocol":"grpc"}`
)

func TestANoteIsReadAsItWasWritten(t *testing.T) {
	for text, want := range map[string]struct {
		note note
		key  string
	}{
		aRun: {note{
			Schema: 1, Run: "dead0000", Replica: 3, Beat: 7, After: period(30 * time.Minute), Protocol: "http",
			Epochs: []numbers{{Stores: 10, Metadata: 100}, {Stores: 2}},
		}, "soak-registry-dead0000-3"},
		aClaim: {note{
			Schema: 1, Run: "dead0000", Replica: 3, By: "beef0000-1", Sweeping: true, Beat: 1, After: period(time.Minute), Protocol: "grpc",
		}, "soak-registry-dead0000-3-claim-beef0000-1"},
	} {
		got, err := parseNote(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if diff := cmp.Diff(want.note, got, cmp.AllowUnexported(note{}), cmpopts.IgnoreFields(note{}, "text")); diff != "" || got.key() != want.key {
			t.Errorf("%s: got key %s, want %s (-want +got):\n%s", text, got.key(), want.key, diff)
		}
		if again, err := got.encode(); err != nil || again != text {
			t.Errorf("got %s and %v, want %s", again, err, text)
		}
	}
}

func TestWhatIsNoNoteIsNotReadAsOne(t *testing.T) {
	for name, change := range map[string]*strings.Replacer{
		"another schema":          strings.NewReplacer(`registry":1`, `registry":2`),
		"a field of a later time": strings.NewReplacer(`"beat"`, `"more":1,"beat"`),
		"no run":                  strings.NewReplacer(`dead0000`, ``),
		"a run in capitals":       strings.NewReplacer(`dead0000`, `DEAD0000`),
		"a path as run":           strings.NewReplacer(`dead0000`, `../../..`),
		"a negative replica":      strings.NewReplacer(`"replica":3`, `"replica":-3`),
		"a negative beat":         strings.NewReplacer(`"beat":7`, `"beat":-7`),
		"no time":                 strings.NewReplacer(`30m0s`, `0s`),
		"a time of years":         strings.NewReplacer(`30m0s`, `99999h`),
		"another protocol":        strings.NewReplacer(`"http"`, `"smtp"`),
		"more numbers than exist": strings.NewReplacer(`"stores":10`, `"stores":9007199254740993`),
		"a claim with numbers":    strings.NewReplacer(`"beat"`, `"by":"beef0000-1","beat"`),
		"a run that is sweeping":  strings.NewReplacer(`"beat"`, `"sweeping":true,"beat"`),
		"something behind it":     strings.NewReplacer(`}]}`, `}]} {}`),
		"the end missing":         strings.NewReplacer(`}]}`, `}]`),
		"a text without end":      strings.NewReplacer(`}]}`, `}]}`+strings.Repeat(" ", maxNote)),
	} {
		if got, err := parseNote(change.Replace(aRun)); err == nil {
			t.Errorf("%s: got %v, want an error", name, got)
		}
	}
	for name, by := range map[string]string{
		"no replica": "beef0000", "a replica with zeros": "beef0000-01", "a negative one": "beef0000--1", "more": "beef0000-1-claim-beef0000-2",
	} {
		if got, err := parseNote(strings.Replace(aClaim, "beef0000-1", by, 1)); err == nil {
			t.Errorf("a claim by %s: got %v, want an error", name, got)
		}
	}
}

func FuzzParseNote(f *testing.F) {
	for _, seed := range []string{aRun, aClaim, "", "{}", "null", `{"soak_registry":1}`, "[]", `{"after":"1h","AFTER":"2h"}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n, err := parseNote(text)
		if err != nil {
			return
		}
		again, err := n.encode()
		if err != nil {
			t.Fatal(err)
		}
		m, err := parseNote(again)
		if err != nil {
			t.Fatalf("%s: %v", again, err)
		}
		if diff := cmp.Diff(n, m, cmp.AllowUnexported(note{}), cmpopts.IgnoreFields(note{}, "text"), cmpopts.EquateEmpty()); diff != "" || n.key() != m.key() {
			t.Errorf("written and read again (-before +after):\n%s", diff)
		}
		for at := uint64(0); at < 10*blockSize; at += blockSize { // it may say that there are 2^53
			if _, keys := n.block(at, blockSize); len(keys) > blockSize {
				t.Errorf("got a block of %d keys, want at most %d", len(keys), blockSize)
			}
		}
		n.owns(text, 'r')
	})
}

func TestARunOwnsTheKeysThatItsReplicaMakes(t *testing.T) {
	n := note{Run: "dead0000", Replica: 3}
	for key, want := range map[string]bool{
		"soak-dead0000-0-3-r1":                     true,
		"soak-dead0000-12-3-r18446744073709551615": true,
		"soak-dead0000-0-3-r01":                    false,
		"soak-dead0000-00-3-r1":                    false,
		"soak-dead0000-0-3-s1":                     false,
		"soak-dead0000-0-4-r1":                     false,
		"soak-beef0000-0-3-r1":                     false,
		"soak-dead0000--1-3-r1":                    false,
		"soak-dead0000-0-3-r1-":                    false,
		"soak-dead0000-0-3-r":                      false,
		"soak-dead0000-0-3-":                       false,
		"soak-dead0000-":                           false,
		"soak-dead0000":                            false,
		"":                                         false,
	} {
		if got := n.owns(key, 'r'); got != want {
			t.Errorf("%q: got %v, want %v", key, got, want)
		}
	}
}

func TestBlocksAreAllThatARunMayHaveOnce(t *testing.T) {
	n := note{Run: "dead0000", Epochs: []numbers{{Stores: 70, Metadata: 1}, {}, {Stores: 2, Metadata: 130}}}
	seen := map[string]bool{}
	at := uint64(0)
	for _, keys := n.block(at, blockSize); len(keys) > 0; _, keys = n.block(at, blockSize) {
		for _, key := range keys {
			seen[key] = true
		}
		at += uint64(len(keys))
	}
	if at != 203 || len(seen) != 203 || !seen["soak-dead0000-2-0-m130"] || !seen["soak-dead0000-0-0-s70"] {
		t.Errorf("got %d keys, %d of them different, want 203", at, len(seen))
	}
}
