package cloudwatch

import "slices"

// probe watches whether AWS gives percentiles where it gives averages. Where a
// publisher sends sums instead of values it does not, which looks like no data
// (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html).
type probe struct{ missing int }

// patience is how many polls in a row must lack percentiles.
const patience = 10

// percentiles is the name of the source.
const percentiles = "latency_percentiles"

// look compares the newest values of a request.
func (b *probe) look(p *poller, r request) {
	averages, found := 0, 0
	for _, call := range r.calls {
		for _, q := range call {
			if q.stat != average && q.stat != "p99" || !takesPercentiles(q) {
				continue
			}
			if _, has := p.series[q.key()].points[r.newest]; has && q.stat == average {
				averages++
			} else if has {
				found++
			}
		}
	}
	switch {
	case found > 0:
		b.missing = 0
		p.metrics.source(percentiles, true)
	case averages > 0:
		if b.missing++; b.missing >= patience {
			p.metrics.source(percentiles, false)
		}
	}
}

func takesPercentiles(q *query) bool { return slices.Contains(q.row.stats, "p99") }
