package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/version"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/capacity"
	"opensaves-soak/report"
)

// summary is what a finite run comes to. Its figures are of the time from when
// the working set was warm, wrong answers excepted: they are of the whole run.
type summary struct {
	Version    string      `json:"version"`
	Target     tested      `json:"target"`
	Started    time.Time   `json:"started"`
	Ended      time.Time   `json:"ended"`
	Warmup     number      `json:"warmup_seconds"`
	Duration   number      `json:"duration_seconds"` // after the warm-up
	Complete   bool        `json:"complete"`         // it was not ended early
	Passed     bool        `json:"passed"`
	Operations []operation `json:"operations"`
	Totals     totals      `json:"totals"`
	Violations []violation `json:"violations"`

	SelfTestMissed number    `json:"self_test_missed"` // violations of the self-test that the checks did not find
	Objectives     []outcome `json:"objectives"`       // of a search: while the rate was proven

	Capacity   *capacity.Result   `json:"capacity,omitempty"`   // what a search came to; nil: there was none
	Bottleneck *report.Bottleneck `json:"bottleneck,omitempty"` // of its report; nil: there is none
}

// tested is what was tested.
type tested struct {
	Name     string `json:"name"`
	Protocol string `json:"protocol"`
	Backend  string `json:"backend"`
}

// operation is what came of one operation. Times are response times of all
// answers in seconds; they are null where there was none.
type operation struct {
	Operation string `json:"operation"`
	Requests  number `json:"requests"`
	Rate      number `json:"requests_per_second"`
	Errors    number `json:"errors"`
	Aborted   number `json:"aborted"`
	P50       number `json:"p50_seconds"`
	P95       number `json:"p95_seconds"`
	P99       number `json:"p99_seconds"`
	Max       number `json:"max_seconds"` // no answer took longer
}

// totals are the sums of the run. Scheduled is Answered and Dropped together.
type totals struct {
	Scheduled     number            `json:"scheduled"`
	Answered      number            `json:"answered"`
	Dropped       map[string]number `json:"dropped"` // by reason
	Converted     number            `json:"converted"`
	UnknownWrites number            `json:"unknown_writes"`
	Checks        map[string]number `json:"checks"` // by result
}

// violation is how often answers were wrong in one way.
type violation struct {
	Check string `json:"check"`
	Kind  string `json:"kind"`
	Count number `json:"count"`
}

// wrong says that no server may do that. That writers on REST undo each other's
// work is by that API's design.
func (v violation) wrong() bool {
	return v.Count > 0 && (v.Check != metric.CheckList.String() || v.Kind != "lost_update")
}

// number is a number that is null in JSON where there is none, or no end to it.
type number float64

// MarshalJSON writes null for NaN and infinities, which JSON does not know.
func (n number) MarshalJSON() ([]byte, error) {
	if math.IsNaN(float64(n)) || math.IsInf(float64(n), 0) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(n))
}

// sumUp makes the summary of a run whose load has ended, so that every arrival
// is counted.
func (f *finite) sumUp(config Config) (*summary, error) {
	if err := f.count(); err != nil {
		return nil, err
	}
	if f.measured == nil { // it never became warm
		f.began = f.ended
	}
	length := f.ended.Sub(f.began).Seconds()
	s := &summary{
		Version:    version.Version,
		Target:     tested{config.Target.Label(), config.Target.Wire().String(), config.Target.Backend},
		Started:    f.started.UTC(),
		Ended:      f.ended.UTC(),
		Warmup:     number(f.began.Sub(f.started).Seconds()),
		Duration:   number(length),
		Complete:   f.complete,
		Operations: operations(f.measured, length),
		Totals:     totalsOf(f.measured),
		Violations: violations(f.total),

		SelfTestMissed: number(f.total.sum(metric.SelfTestMissed, nil)),
		Objectives:     evaluate(config.Objectives, f.measured),
	}
	if f.search != nil {
		s.Capacity, s.Objectives, s.Complete = f.search.result, f.search.proof, f.search.complete
		if r := f.search.reported; r != nil {
			s.Bottleneck = &r.Bottleneck
		}
	}
	s.Passed = s.verdict() == nil
	return s, nil
}

// operations returns those that there were requests of, by name.
func operations(s snapshot, length float64) []operation {
	list := []operation{}
	for op := range metric.Operation(metric.Operations) {
		if one := operationOf(s, labels{"operation": op.String()}, length); one.Requests > 0 {
			one.Operation = op.String()
			list = append(list, one)
		}
	}
	slices.SortFunc(list, func(a, b operation) int { return strings.Compare(a.Operation, b.Operation) })
	return list
}

func operationOf(s snapshot, match labels, length float64) operation {
	count := func(outcome metric.Outcome) number {
		return number(s.sum(metric.Requests, match.and("outcome", outcome.String())))
	}
	times := s.histogram(metric.ResponseTime, match)
	requests := s.sum(metric.Requests, match)
	return operation{
		Requests: number(requests), Rate: number(requests / length),
		Errors: count(metric.Failure), Aborted: count(metric.AbortedOutcome),
		P50: number(times.quantile(0.5)), P95: number(times.quantile(0.95)), P99: number(times.quantile(0.99)),
		Max: number(times.most()),
	}
}

func totalsOf(s snapshot) totals {
	t := totals{
		Answered:      number(s.sum(metric.Requests, nil)),
		Dropped:       map[string]number{},
		Converted:     number(s.sum(metric.ArrivalsConverted, nil)),
		UnknownWrites: number(s.sum(metric.UnknownWrites, nil)),
		Checks:        map[string]number{},
	}
	t.Scheduled = t.Answered
	for reason := range metric.DropReason(metric.DropReasons) {
		dropped := number(s.sum(metric.ArrivalsDropped, labels{"reason": reason.String()}))
		t.Dropped[reason.String()] = dropped
		t.Scheduled += dropped
	}
	for result := range metric.Result(metric.Results) {
		t.Checks[result.String()] = number(s.sum(metric.Checks, labels{"result": result.String()}))
	}
	return t
}

// violations returns how often each check found each kind, zeros included.
func violations(s snapshot) []violation {
	list := []violation{}
	for _, one := range s[metric.CheckViolations.Name] {
		list = append(list, violation{one.labels["check"], one.labels["kind"], number(one.value)})
	}
	slices.SortFunc(list, func(a, b violation) int {
		return strings.Compare(a.Check+" "+a.Kind, b.Check+" "+b.Kind)
	})
	return list
}

// wrongAnswers says which of them no server may give.
func wrongAnswers(list []violation) (wrong []string) {
	for _, v := range list {
		if v.wrong() {
			wrong = append(wrong, fmt.Sprintf("%.0f wrong answers (%s: %s)", v.Count, v.Check, v.Kind))
		}
	}
	return wrong
}

// verdict is nil, or says what was not as it should be: a wrong answer at any
// time, or in a run that was not ended early an objective that was missed, or
// a search that has proven nothing.
func (s *summary) verdict() error {
	wrong := wrongAnswers(s.Violations)
	if s.SelfTestMissed > 0 {
		wrong = append(wrong, fmt.Sprintf("%.0f wrong answers of the self-test were not found", s.SelfTestMissed))
	}
	for _, o := range s.Objectives {
		if s.Complete && o.Status == missed {
			wrong = append(wrong, fmt.Sprintf("objective %s missed: %s", o.Name, o))
		}
	}
	if s.Complete && s.Capacity != nil && !s.Capacity.Proven {
		wrong = append(wrong, "no capacity is proven: "+s.Capacity.String())
	}
	if len(wrong) == 0 {
		return nil
	}
	return fmt.Errorf("testing the target: %s", strings.Join(wrong, "; "))
}

// write writes the summary: as JUnit where the file's name ends in .xml, else
// as JSON.
func (s *summary) write(file *os.File) error {
	if strings.HasSuffix(file.Name(), ".xml") {
		return s.writeJUnit(file)
	}
	encoder := json.NewEncoder(file)
	encoder.SetIndent("", "  ")
	return encoder.Encode(s)
}
