package alerts

import (
	"time"

	"opensaves-soak/exporter/metric"
)

// rates are the one-minute rates that burn rates and the stale ratio sum up. They
// need two scrapes a minute, at least.
func (b builder) rates() []Rule {
	reads := b.rate(metric.Checks, time.Minute, `result!="unjudged"`, `check!="`+metric.CheckAtomic.String()+`"`)
	stale, native := b.counted(metric.Staleness)
	rules := []Rule{
		{Record: RequestsRate, Expr: sum(b.settled(b.requests("success|error", time.Minute)))},
		{Record: FailuresRate, Expr: sum(b.settled(b.requests("error", time.Minute)))},
		{Record: JudgedReadsRate, Expr: sum(b.settled(reads))},
		{Record: StaleReadsRate, Expr: stale + "\nor histogram_count(" + native + ")"},
	}
	for _, l := range b.Latency {
		rules = append(rules, b.slow(l), b.allowed(l))
	}
	return rules
}

// counted are the observations a second of a histogram: of the classic form, and
// of the native one as it is.
func (b builder) counted(d metric.Definition, matchers ...string) (classic, native string) {
	count := d
	count.Name += "_count"
	return sum(b.settled(b.rate(count, time.Minute, matchers...))), sum(b.settled(b.rate(d, time.Minute, matchers...)))
}

// slow records those that took longer than the threshold. The classic form
// comes first, since it has a bucket that ends there. An empty native one has
// no fraction.
func (b builder) slow(l Latency) Rule {
	d, matchers := l.Histogram()
	seconds := time.Duration(l.Threshold).Seconds()
	classic, native := b.counted(d, matchers...)
	bucket := d
	bucket.Name += "_bucket"
	within := sum(b.settled(b.rate(bucket, time.Minute, append(matchers, Bucket(seconds))...)))
	return Rule{
		Record: SlowRate, Labels: l.labels(),
		Expr: "clamp_min(" + classic + "\n- " + within + ", 0)\nor (histogram_count(" + native + ") > 0)\n* histogram_fraction(" +
			number(seconds) + ", +Inf, " + native + ")",
	}
}

// allowed records how many slow ones the objective allows.
func (b builder) allowed(l Latency) Rule {
	d, matchers := l.Histogram()
	classic, native := b.counted(d, matchers...)
	return Rule{
		Record: SlowAllowedRate, Labels: l.labels(),
		Expr: "(" + classic + "\nor histogram_count(" + native + "))\n* (1 - " + number(l.Ratio) + ")",
	}
}

// labels tell the objectives for latency apart.
func (l Latency) labels() map[string]string {
	return map[string]string{"class": l.Class, "threshold": l.Threshold.String()}
}

// Histogram is what a class is judged by, and the matchers of its successes.
func (l Latency) Histogram() (metric.Definition, []string) {
	sizes := map[string]string{
		metric.SmallBlob.String(): metric.Upto64KiB.String() + "|" + metric.Upto1MiB.String(),
		metric.LargeBlob.String(): metric.Upto10MiB.String() + "|" + metric.Larger.String(),
	}
	if size, ok := sizes[l.Class]; ok {
		return metric.BlobDuration, []string{`phase="total"`, `size=~"` + size + `"`}
	}
	return metric.ResponseTime, []string{`class="` + l.Class + `"`, `outcome="` + metric.Success.String() + `"`}
}
