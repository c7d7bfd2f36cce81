package aws

import (
	"slices"
	"time"

	"github.com/aws/smithy-go/encoding/cbor"
)

// dataPosition is where a page of GetMetricData begins: at a result, and in it at
// a point if the page before ended there. A point is told by its time, so that
// points that show between two pages move none.
type dataPosition struct {
	Result int
	From   int64 `json:",omitempty"` // Unix seconds; 0: the first point
}

// point is the statistic of a period.
type point struct {
	at    int64 // start of the period, in Unix seconds
	value float64
}

func (c *Cloud) getMetricData(call call) (any, error) {
	r, token, err := decodeDataRequest(call.body)
	if err != nil {
		return nil, err
	}
	var at dataPosition
	if !unseal(token, r, &at) || at.Result < 0 || at.Result >= len(r.queries) {
		return nil, refused("InvalidNextToken", "got a token that is not of this request")
	}
	c.bill(r.queries)
	results, next := c.data(r, at, call.now)
	out := cbor.Map{"MetricDataResults": results}
	if next != nil {
		token, err := seal(r, next)
		if err != nil {
			return nil, err
		}
		out["NextToken"] = cbor.String(token)
	}
	return out, nil
}

// data returns the results of a page, and where the next one begins; nil: it is
// the last one.
func (c *Cloud) data(r dataRequest, at dataPosition, now time.Time) (results cbor.List, next *dataPosition) {
	room := r.points
	for len(results) < c.pageSize() && room > 0 {
		q := r.queries[at.Result]
		points, said := c.points(r, q, now), c.said(q.metric)
		if said.status == "InternalError" || said.status == "Forbidden" {
			points = nil
		}
		points = r.from(points, at.From)
		if len(points) > room {
			at.From = points[room].at
			return append(results, result(q, points[:room], answer{"PartialData", said.message})), &at
		}
		room -= len(points)
		results = append(results, result(q, points, said))
		at = dataPosition{Result: at.Result + 1}
		if at.Result == len(r.queries) {
			return results, nil
		}
	}
	return results, &at
}

// said is what was set for the metric, or that its data is complete.
func (c *Cloud) said(m Metric) answer {
	if said, set := c.answers[m.key()]; set {
		return said
	}
	return answer{status: "Complete"}
}

// points returns a point for each period that something was observed in, in the
// order of the request. Periods are counted from the epoch.
func (c *Cloud) points(r dataRequest, q query, now time.Time) (points []point) {
	minutes := c.metrics.shown(q.metric, floor(r.start, q.period), r.end, now)
	compute, _ := parseStatistic(q.statistic)
	for len(minutes) > 0 {
		at := floor(minutes[0].start, q.period)
		n := 1
		for n < len(minutes) && minutes[n].start < at+q.period {
			n++
		}
		if !isPercentile(q.statistic) || slices.MinFunc(minutes[:n], byLowest).lowest >= 0 { // CloudWatch gives none of negative values
			points = append(points, point{at, compute(minutes[:n])})
		}
		minutes = minutes[n:]
	}
	if !r.ascending {
		slices.Reverse(points)
	}
	return points
}

// from leaves out the points that come before the one at from; 0: none do.
func (r dataRequest) from(points []point, from int64) []point {
	if from == 0 {
		return points
	}
	return slices.DeleteFunc(points, func(p point) bool {
		return r.ascending && p.at < from || !r.ascending && p.at > from
	})
}

func result(q query, points []point, said answer) cbor.Value {
	times, values := cbor.List{}, cbor.List{}
	for _, p := range points {
		times = append(times, &cbor.Tag{ID: 1, Value: cbor.Float64(p.at)})
		values = append(values, cbor.Float64(p.value))
	}
	out := cbor.Map{
		"Id": cbor.String(q.id), "Label": cbor.String(q.label),
		"StatusCode": cbor.String(said.status), "Timestamps": times, "Values": values,
	}
	if said.message != "" {
		out["Messages"] = cbor.List{cbor.Map{"Code": cbor.String(said.status), "Value": cbor.String(said.message)}}
	}
	return out
}
