package report

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestASoakShowsWhatDriftsInIt(t *testing.T) {
	b := &block{T: t}
	b.fill([]phase{{length: 4 * time.Hour, target: 100, answered: 100, inFlight: 2, within: [4]float64{50, 90, 100, 100}}})
	b.text.Truncate(b.text.Len() - len("# EOF\n"))
	b.text.WriteString("# TYPE process_resident_memory_bytes gauge\n")
	for at := time.Duration(0); at < 4*time.Hour; at += time.Minute {
		fmt.Fprintf(&b.text, "process_resident_memory_bytes{job=\"opensaves-soak\"} %v %d\n", 50e6+1e6*at.Hours(), began.Add(at).Unix())
	}
	b.text.WriteString("# EOF\n")
	got, err := b.until(4*time.Hour, b.serve())
	if err != nil {
		t.Fatal(err)
	}
	want := []Trend{
		{Name: "p99 of class read", Unit: Seconds, Hours: 4, Caveat: CycleCaveat},
		{Name: "requests that failed, of all", Unit: Share, Hours: 4, Caveat: CycleCaveat},
		{Name: "requests in flight", Unit: Count, Hours: 4, Caveat: CycleCaveat},
		{Name: "resident memory of the tester", Unit: Bytes, Hours: 4, Caveat: CycleCaveat},
	}
	if diff := cmp.Diff(want, got.Drift, cmpopts.IgnoreFields(Trend{}, "PerDay", "Relative")); diff != "" {
		t.Errorf("wanted -, got +\n%s", diff)
	}
	if perDay := got.Drift[len(got.Drift)-1].PerDay.Value; perDay < 23e6 || perDay > 25e6 {
		t.Errorf("memory: got %v bytes a day, want 24e6", perDay)
	}
}
