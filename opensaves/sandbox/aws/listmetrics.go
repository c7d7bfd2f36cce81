package aws

import (
	"maps"
	"slices"
	"time"

	"github.com/aws/smithy-go/encoding/cbor"
)

// maxListed is how many metrics a page of ListMetrics holds.
const maxListed = 500

// listRequest is a request for ListMetrics; what is empty filters nothing.
type listRequest struct {
	namespace, name string
	dimensions      []dimension
	recently        bool
}

// dimension is one that metrics must have, with any value if value is empty.
type dimension struct{ name, value string }

// decodeListRequest returns the request and its token.
func decodeListRequest(body []byte) (r listRequest, token string, err error) {
	f := decodeCBOR(body, &err)
	r.namespace, r.name = f.text("Namespace"), f.text("MetricName")
	for _, d := range f.maps("Dimensions") {
		r.dimensions = append(r.dimensions, dimension{d.text("Name"), d.text("Value")})
	}
	active := f.text("RecentlyActive")
	r.recently = active != ""
	if err == nil && r.recently && active != "PT3H" {
		err = refused("ValidationError", "RecentlyActive: got %q, want PT3H", active)
	}
	return r, f.text("NextToken"), err
}

func (c *Cloud) listMetrics(call call) (any, error) {
	r, token, err := decodeListRequest(call.body)
	if err != nil {
		return nil, err
	}
	var after string // the key of the last metric before the page
	if !unseal(token, r, &after) {
		return nil, refused("InvalidParameterValue", "NextToken: got a token that is not of this request")
	}
	out, listed := cbor.Map{}, cbor.List{}
	for _, key := range slices.Sorted(maps.Keys(c.metrics.series)) {
		m := c.metrics.series[key].metric
		if key <= after || !r.wants(m) || !c.metrics.lists(m, r.recently, call.now) {
			continue
		}
		if len(listed) == maxListed {
			token, err := seal(r, after)
			if err != nil {
				return nil, err
			}
			out["NextToken"] = cbor.String(token)
			break
		}
		listed, after = append(listed, m.encode()), key
	}
	out["Metrics"] = listed
	return out, nil
}

func (r listRequest) wants(m Metric) bool {
	lacks := func(d dimension) bool {
		value, has := m.Dimensions[d.name]
		return !has || d.value != "" && d.value != value
	}
	return (r.namespace == "" || r.namespace == m.Namespace) && (r.name == "" || r.name == m.Name) &&
		!slices.ContainsFunc(r.dimensions, lacks)
}

// lists says whether a point of the metric shows, one of the last three hours if
// it must be recent.
func (s *store) lists(m Metric, recently bool, now time.Time) bool {
	var start int64
	if recently {
		start = now.Unix() - recent
	}
	return len(s.shown(m, start, maxTime, now)) > 0
}

func (m Metric) encode() cbor.Value {
	dimensions := cbor.List{}
	for _, name := range slices.Sorted(maps.Keys(m.Dimensions)) {
		dimensions = append(dimensions, cbor.Map{"Name": cbor.String(name), "Value": cbor.String(m.Dimensions[name])})
	}
	return cbor.Map{
		"Namespace": cbor.String(m.Namespace), "MetricName": cbor.String(m.Name), "Dimensions": dimensions,
	}
}
