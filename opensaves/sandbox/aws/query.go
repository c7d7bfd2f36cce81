package aws

import (
	"cmp"
	"math"
	"regexp"
	"slices"
)

// The limits of GetMetricData.
const (
	maxQueries    = 500
	maxDatapoints = 100800
)

// dataRequest is a request for GetMetricData; times are Unix seconds.
type dataRequest struct {
	queries    []query // in order of falling ID
	start, end int64   // end is not in it
	ascending  bool
	points     int // that a page holds
}

// query asks for a statistic of a metric.
type query struct {
	id, label string
	metric    Metric
	period    int64 // seconds
	statistic string
	more      string // that is not offered
}

var idPattern = regexp.MustCompile(`^[a-z][a-zA-Z0-9_]{0,254}$`)

// decodeDataRequest returns the request and its token.
func decodeDataRequest(body []byte) (r dataRequest, token string, err error) {
	f := decodeCBOR(body, &err)
	r.start = int64(f.seconds("StartTime"))
	r.end = int64(math.Ceil(f.seconds("EndTime")))
	r.points = int(cmp.Or(f.number("MaxDatapoints"), maxDatapoints))
	r.ascending = f.text("ScanBy") == "TimestampAscending"
	queries := f.maps("MetricDataQueries")
	if err != nil {
		return r, "", err
	}
	if n := len(queries); n == 0 || n > maxQueries {
		return r, "", refused("ValidationError", "MetricDataQueries: got %d, want 1 to %d", n, maxQueries)
	}
	for _, f := range queries {
		q := decodeQuery(f)
		r.queries = append(r.queries, q)
		if err == nil {
			err = q.validate()
		}
	}
	if err == nil {
		err = r.validate()
	}
	return r, f.text("NextToken"), err
}

func decodeQuery(f fields) query {
	stat := f.within("MetricStat")
	m := stat.within("Metric")
	q := query{id: f.text("Id"), period: stat.number("Period"), statistic: stat.text("Stat")}
	q.metric = Metric{Namespace: m.text("Namespace"), Name: m.text("MetricName"), Dimensions: map[string]string{}}
	for _, d := range m.maps("Dimensions") {
		q.metric.Dimensions[d.text("Name")] = d.text("Value")
	}
	q.label = cmp.Or(f.text("Label"), q.metric.Name)
	q.more = f.text("Expression") + stat.text("Unit")
	return q
}

func (q query) validate() error {
	_, known := parseStatistic(q.statistic)
	switch {
	case !idPattern.MatchString(q.id):
		return refused("ValidationError", "Id: got %q, want a small letter, then letters, digits and _", q.id)
	case q.more != "":
		return refused("ValidationError", "%s: got %q, want neither an expression nor a unit", q.id, q.more)
	case q.metric.Namespace == "" || q.metric.Name == "":
		return refused("ValidationError", "%s: got no metric, want its namespace and name", q.id)
	case q.period == 0 || q.period%60 != 0:
		return refused("ValidationError", "%s: got a period of %d s, want a multiple of 60 s", q.id, q.period)
	case !known:
		return refused("ValidationError", "%s: got %q, want Average, Sum, Minimum, Maximum, SampleCount or a percentile", q.id, q.statistic)
	}
	return nil
}

// validate also sorts the queries by falling ID, in which order the results come:
// clients must not rely on that of their own.
func (r *dataRequest) validate() error {
	slices.SortFunc(r.queries, func(a, b query) int { return cmp.Compare(b.id, a.id) })
	for i := range r.queries[1:] {
		if id := r.queries[i].id; id == r.queries[i+1].id {
			return refused("ValidationError", "Id: got %q twice", id)
		}
	}
	switch {
	case r.start >= r.end:
		return refused("ValidationError", "got StartTime %d and EndTime %d, want an earlier StartTime", r.start, r.end)
	case r.points > maxDatapoints:
		return refused("ValidationError", "MaxDatapoints: got %d, want at most %d", r.points, maxDatapoints)
	}
	return nil
}

// bill counts what the page costs: a unit for each started group of five
// statistics of a metric.
func (c *Cloud) bill(queries []query) {
	statistics := map[string]int64{}
	for _, q := range queries {
		key := q.metric.key()
		if statistics[key]%5 == 0 {
			c.billed[q.metric.Namespace]++
		}
		statistics[key]++
	}
}
