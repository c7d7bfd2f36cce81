package live

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"opensaves-soak/load/desired"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var start = time.Date(2026, 11, 26, 5, 30, 0, 0, time.UTC)

// moment is one that comes so many seconds after the start.
func moment(second int) Moment {
	rate, age := 499.8, 200.0
	return Moment{
		Glance: Glance{
			Time: start.Add(time.Duration(second) * time.Second), Started: start, Version: "1.2.3",
			Target: Target{Name: "sandbox", Protocol: "http", Backend: "dynamodb"}, Asked: 500, Achieved: &rate, Wrong: 2,
		},
		Load:       desired.Status{RPS: 500, Source: desired.API},
		Operations: []Operation{{Operation: "get_record", RPS: 400.2, P50: &rate}},
		Components: []Component{{Component: "dynamodb", Name: "read capacity units", Unit: "a second", Value: &rate, Age: &age}},
	}
}

const (
	glanceJSON = `"started":"2026-11-26T05:30:00Z","version":"1.2.3","target":{"name":"sandbox","protocol":"http","backend":"dynamodb"},` +
		`"asked_rps":500,"achieved_rps":499.8,"failed_rps":null,"dropped_rps":null,"in_flight":0,"p50_seconds":null,"p99_seconds":null,` +
		`"wrong_answers":2,"judged_ratio":null,"warmup":false,"cost_usd_per_hour":null,"cost_usd_per_million_requests":null`
	restJSON = `"load":{"rps":500,"max_rps":0,"achieved_rps":0,"paused":false,"source":"api","expires":null,"stage":null,"scenarios":null,` +
		`"read_ratio":0,"skipped_operations":null,"limited_by":null,"replica":{"share_rps":0,"index":0,"count":0}},` +
		`"operations":[{"operation":"get_record","rps":400.2,"failed_ratio":0,"p50_seconds":499.8,"p99_seconds":null}],` +
		`"components":[{"component":"dynamodb","name":"read capacity units","unit":"a second","value":499.8,"limit":null,"age_seconds":200}]`
)

// glanceAt and eventAt are what a reader is to get of the moment of a second.
func glanceAt(second int) string {
	return fmt.Sprintf(`{"time":"2026-11-26T05:30:%02dZ",`, second) + glanceJSON + "}"
}

func eventAt(second int) string {
	return fmt.Sprintf("event: moment\nid: %d\ndata: ", start.UnixMilli()+int64(second)*1000) +
		strings.TrimSuffix(glanceAt(second), "}") + "," + restJSON + "}\n\n"
}

func historyOf(moments ...string) string {
	return "retry: 2000\n\nevent: history\ndata: {\"moments\":[" + strings.Join(moments, ",") + "]}\n\n"
}

// feed is one with the moments of so many seconds.
func feed(t testing.TB, seconds int) *Feed {
	t.Helper()
	f := NewFeed()
	for second := range seconds {
		if err := f.Add(moment(second)); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

// answer is what a server says.
type answer struct {
	protocol string
	header   http.Header
	body     io.Reader
}

// open asks a server for the stream.
func open(t testing.TB, client *http.Client, method, url, lastID string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Last-Event-ID", lastID)
	response, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { response.Body.Close() })
	return answer{response.Proto, response.Header, response.Body}
}

// got reads as much as is wanted, and compares it.
func got(t testing.TB, from io.Reader, want string) {
	t.Helper()
	text := make([]byte, len(want))
	n, err := io.ReadFull(from, text)
	if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(string(text[:n]), "\n")); diff != "" || err != nil {
		t.Fatalf("got %v, wanted -, got +\n%s", err, diff)
	}
}

func TestAReaderGetsWhatWasAndThenEachMoment(t *testing.T) {
	for name, lastID := range map[string]string{"without an id": "", "with an id of nobody's": "five"} {
		for _, protocol := range []string{"HTTP/1.1", "HTTP/2.0"} {
			t.Run(name+" over "+protocol, func(t *testing.T) {
				f := feed(t, 2)
				server := httptest.NewUnstartedServer(f)
				server.EnableHTTP2 = protocol == "HTTP/2.0"
				server.StartTLS()
				defer server.Close()
				response := open(t, server.Client(), http.MethodGet, server.URL, lastID)
				if response.protocol != protocol || response.header.Get("Content-Type") != "text/event-stream" || response.header.Get("Cache-Control") != "no-store" {
					t.Errorf("got %s with %v", response.protocol, response.header)
				}
				got(t, response.body, historyOf(glanceAt(0), glanceAt(1)))
				for second := 2; second < 4; second++ {
					if err := f.Add(moment(second)); err != nil {
						t.Fatal(err)
					}
					got(t, response.body, eventAt(second))
				}
				f.End()
				if rest, err := io.ReadAll(response.body); err != nil || len(rest) > 0 {
					t.Errorf("got %q and %v at the end, want nothing", rest, err)
				}
			})
		}
	}
}

func TestAReaderThatComesBackGetsWhatItHasMissed(t *testing.T) {
	f := feed(t, 5)
	f.End()
	server := httptest.NewServer(f)
	defer server.Close()
	for lastID, want := range map[string]string{
		fmt.Sprint(start.UnixMilli() + 2000): historyOf(glanceAt(3), glanceAt(4)),
		fmt.Sprint(start.UnixMilli() + 2001): historyOf(glanceAt(3), glanceAt(4)),
		fmt.Sprint(start.UnixMilli() + 4000): historyOf(),
		fmt.Sprint(int64(math.MaxInt64)):     historyOf(),
		"-1":                                 historyOf(glanceAt(0), glanceAt(1), glanceAt(2), glanceAt(3), glanceAt(4)),
	} {
		text, err := io.ReadAll(open(t, server.Client(), http.MethodGet, server.URL, lastID).body)
		if diff := cmp.Diff(want, string(text)); diff != "" || err != nil {
			t.Errorf("after %s: got %v, wanted -, got +\n%s", lastID, err, diff)
		}
	}
}

func TestAClockThatIsSetBackBeginsTheHistoryAnew(t *testing.T) {
	f := feed(t, 5)
	server := httptest.NewServer(f)
	defer server.Close()
	response := open(t, server.Client(), http.MethodGet, server.URL, "")
	got(t, response.body, historyOf(glanceAt(0), glanceAt(1), glanceAt(2), glanceAt(3), glanceAt(4)))
	for second := 2; second < 4; second++ {
		if err := f.Add(moment(second)); err != nil {
			t.Fatal(err)
		}
		got(t, response.body, eventAt(second))
	}
	f.End()
	late := open(t, server.Client(), http.MethodGet, server.URL, "")
	got(t, late.body, historyOf(glanceAt(2), glanceAt(3)))
}

func TestTheLast15MinutesAreKept(t *testing.T) {
	f := feed(t, 2*kept+100)
	f.End()
	server := httptest.NewServer(f)
	defer server.Close()
	text, err := io.ReadAll(open(t, server.Client(), http.MethodGet, server.URL, "").body)
	if err != nil {
		t.Fatal(err)
	}
	_, data, _ := strings.Cut(string(text), "data: ")
	var h struct{ Moments []Glance }
	if err := json.Unmarshal([]byte(data), &h); err != nil {
		t.Fatal(err)
	}
	first, count := start.Add((kept+100)*time.Second), len(h.Moments)
	if count != kept || !h.Moments[0].Time.Equal(first) || !h.Moments[count-1].Time.Equal(first.Add((kept-1)*time.Second)) {
		t.Errorf("got %d moments from %s to %s, want %d from %s on", count, h.Moments[0].Time, h.Moments[count-1].Time, kept, first)
	}
}

func TestHEADAnswersWithoutAStream(t *testing.T) {
	server := httptest.NewServer(feed(t, 1))
	defer server.Close()
	response := open(t, server.Client(), http.MethodHead, server.URL, "")
	if text, err := io.ReadAll(response.body); err != nil || len(text) > 0 || response.header.Get("Content-Type") != "text/event-stream" {
		t.Errorf("got %v, %q and %v, want the header alone", response.header, text, err)
	}
}

func TestAMomentWithANumberThatIsNoneIsRefused(t *testing.T) {
	f, nan := NewFeed(), math.NaN()
	for _, m := range []Moment{{Glance: Glance{Achieved: &nan}}, {Load: desired.Status{RPS: math.Inf(1)}}} {
		if err := f.Add(m); err == nil || !strings.HasPrefix(err.Error(), "encoding a moment: ") {
			t.Errorf("got %v, want an error", err)
		}
	}
	if past, count := f.since(0); len(past) > 0 || count > 0 {
		t.Errorf("got %d of %d moments, want none", len(past), count)
	}
}
