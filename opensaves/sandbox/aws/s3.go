package aws

import (
	"encoding/xml"
	"net/http"
	"slices"
	"strings"
)

type metricsConfigurations struct {
	XMLName               xml.Name `xml:"ListMetricsConfigurationsResult"`
	IsTruncated           bool
	MetricsConfigurations []metricsConfiguration `xml:"MetricsConfiguration"`
}

type metricsConfiguration struct {
	ID     string         `xml:"Id"`
	Filter *metricsFilter // none: the whole bucket
}

type metricsFilter struct{ Prefix string }

func (c *Cloud) listMetricsConfigurations(call call) (any, error) {
	name := strings.Trim(call.path, "/")
	i := slices.IndexFunc(c.account.Buckets, func(b Bucket) bool { return b.Name == name })
	if i < 0 {
		return nil, &problem{http.StatusNotFound, "NoSuchBucket", "got a bucket that the account does not have"}
	}
	var out metricsConfigurations
	for _, m := range c.account.Buckets[i].MetricsConfigurations {
		one := metricsConfiguration{ID: m.ID}
		if m.Prefix != "" {
			one.Filter = &metricsFilter{m.Prefix}
		}
		out.MetricsConfigurations = append(out.MetricsConfigurations, one)
	}
	return out, nil
}
