package dashboards

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func decoded(t *testing.T, text string) any {
	t.Helper()
	var value any
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		t.Fatal(err)
	}
	return value
}

func TestADifferenceNamesWhatChanged(t *testing.T) {
	for name, c := range map[string]struct {
		old, now string
		want     []string
	}{
		"nothing":            {`{"a": [1, {"b": null}]}`, `{"a": [1, {"b": null}]}`, nil},
		"a value":            {`{"a": {"b": 1}}`, `{"a": {"b": "1"}}`, []string{`- a.b: 1`, `+ a.b: "1"`}},
		"a field more, less": {`{"a": 1}`, `{"b": null}`, []string{`- a: 1`, `+ b: null`}},
		"a panel in between": {
			`{"panels": [{"title": "A", "x": 1}, {"title": "B"}]}`,
			`{"panels": [{"title": "A", "x": 2}, {"title": "new"}, {"title": "B"}]}`,
			[]string{`- panels["A"].x: 1`, `+ panels["A"].x: 2`, `+ panels["new"]: {"title":"new"}`},
		},
		"a panel less": {`{"panels": [{"title": "A"}, {"title": "B"}]}`, `{"panels": [{"title": "B"}]}`, []string{`- panels["A"]: {"title":"A"}`}},
		"another order": {
			`[{"name": "A"}, {"name": "B"}]`, `[{"name": "B"}, {"name": "A"}]`,
			[]string{`- : ["[\"A\"]","[\"B\"]"]`, `+ : ["[\"B\"]","[\"A\"]"]`},
		},
		"another kind": {`[1]`, `{"a": 1}`, []string{`- : [1]`, `+ : {"a":1}`}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, difference("", decoded(t, c.old), decoded(t, c.now))); diff != "" {
				t.Errorf("wanted -, got +\n%s", diff)
			}
		})
	}
}

func TestADifferenceCutsLongValues(t *testing.T) {
	lines := difference("a", strings.Repeat("x", 1000), nil)
	if got := len(lines[0]); got > valueLimit+20 {
		t.Errorf("got a line of %d bytes, want about %d", got, valueLimit)
	}
}

func FuzzADifferenceIsEmptyExactlyWhereValuesAreEqual(f *testing.F) {
	f.Add(`{"a": [1, 2]}`, `{"a": [2, 1]}`)
	f.Add(`[{"name": "[0]"}, 1]`, `[1, {"name": "[0]"}]`)
	f.Add(`[{"title": "A"}, {"title": "A"}]`, `[{"title": "A"}]`)
	f.Fuzz(func(t *testing.T, old, now string) {
		var a, b any
		if json.Unmarshal([]byte(old), &a) != nil || json.Unmarshal([]byte(now), &b) != nil {
			return
		}
		if equal, lines := reflect.DeepEqual(a, b), difference("", a, b); equal != (len(lines) == 0) {
			t.Errorf("got lines %q of values that are equal: %t", lines, equal)
		}
	})
}
