package report

import (
	"encoding/json"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// full is a report in which every kind of field has something.
func full() *Report {
	r := held(none, steady(100), slow(steady(500), 2))
	r.Levels[1].Violations = map[string]float64{"stale": 3.9}
	r.Levels[1].Operations[0].Noise = none
	r.Levels[1].Components = []Reading{{"eks", "CPU", Share, 0.5, 0.9, none, false}}
	r.Levels[1].Missed = []string{"availability: got 89 %"}
	r.Scaling = Scaling{Refusal: "No saturation seen.", R2: none, PeakN: Bounds{1, 2, none}}
	r.Bottleneck = Bottleneck{Component: "eks", Onsets: []Onset{{"eks", "CPU", Share, began, 500, 0.95, 0.9, true}}, Blind: []string{}}
	r.Drift = []Trend{{Name: "p99 of get_record", Unit: Seconds, PerDay: Bounds{0, -1e-9, 1e9}, Hours: 48, Significant: true, Caveat: "a"}}
	r.Timeline = []Moment{{began, 500, 499.5, none}}
	return r
}

// exactly is equality in which what is not known is the same.
var exactly = cmp.Comparer(func(a, b Figure) bool { return a == b || a != a && b != b })

func written(t *testing.T, r *Report) string {
	t.Helper()
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestAReportSurvivesJSON(t *testing.T) {
	want := full()
	got, err := Read(strings.NewReader(written(t, want)))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, exactly, cmpopts.IgnoreUnexported(Blob{})); diff != "" {
		t.Errorf("wanted -, got +\n%s", diff)
	}
}

func TestWhatIsNoReportOfThisVersionIsRefused(t *testing.T) {
	good := written(t, full())
	for text, want := range map[string]string{
		"":                "EOF",
		"null":            "got schema 0, want 1",
		"{}":              "got schema 0, want 1",
		"[]":              "cannot unmarshal array",
		good + "{}":       "got more after the object",
		`{"run": {}}`:     `unknown field "run"`,
		`{"levels": "x"}`: "cannot unmarshal string",
		strings.Replace(good, `"p99_noise":null`, `"p99_noise":"x"`, 1):                "cannot unmarshal string",
		strings.Replace(good, `"rps":100,`, `"rps":null,`, 1):                          "got a rate of NaN from 2026-11-20 12:00:00 +0000 UTC to 2026-11-20 12:10:00 +0000 UTC in level 1",
		strings.Replace(good, `"end":"2026-11-20T13`, `"end":"2026-11-20T11`, 1):       "want it to begin before it ends",
		strings.ReplaceAll(good, `"end":"2026-11-20T12:10`, `"end":"2026-11-20T11:10`): "in level 1, want one above 0 that begins before it ends",
	} {
		if _, err := Read(strings.NewReader(text)); err == nil || !strings.HasPrefix(err.Error(), "reading a report: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: got %v, want %s", text, err, want)
		}
	}
}

// spaces are endless.
type spaces struct{}

func (spaces) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

func TestAnEndlessReportIsRefused(t *testing.T) {
	_, err := Read(spaces{})
	if want := "reading a report: got more than 67108864 bytes"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(`{"start":"2026-11-20T12:00:00Z"}`)
	f.Add(`{"levels":[{"rps":1e308,"operations":[{"p99_seconds":-1}]}]}`)
	f.Add(`{"levels":[null],"notes":[{}],"scaling":[]}`)
	small := held(1, Measured{RPS: 1, Start: began, End: began.Add(time.Nanosecond), Success: 2, Achieved: -1, CostAMio: map[string]float64{"a": -math.MaxFloat64}})
	text, err := json.Marshal(small)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(text))
	f.Fuzz(func(t *testing.T, text string) {
		r, err := Read(strings.NewReader(text))
		if err != nil {
			return
		}
		again, err := Read(strings.NewReader(written(t, r)))
		if diff := cmp.Diff(r, again, exactly, cmpopts.IgnoreUnexported(Blob{})); err != nil || diff != "" {
			t.Errorf("got %v, first -, again +\n%s", err, diff)
		}
		c := Compare(r, again, 0)
		if past := c.Regressions(); past != nil {
			t.Errorf("compared with itself: got %v", past)
		}
		if err := c.WriteMarkdown(io.Discard); err != nil {
			t.Error(err)
		}
		if _, err := json.Marshal(c); err != nil {
			t.Error(err)
		}
	})
}
