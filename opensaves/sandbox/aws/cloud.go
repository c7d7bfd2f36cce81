// Package aws is an AWS account in memory. It speaks the wire protocols of AWS as
// far as an exporter of CloudWatch metrics uses them: CloudWatch in Smithy RPC v2
// CBOR, DynamoDB and the price list in JSON, S3 in REST XML with the bucket in the
// path, and ElastiCache, EC2 and STS in query XML. It checks no signature: whoever
// reaches it may read it, and nobody can change it over the wire.
package aws

import (
	"cmp"
	"maps"
	"sync"
	"time"
)

// Cloud is the account. It is safe for concurrent use, and an http.Handler for
// the endpoints of all its services.
type Cloud struct {
	mu       sync.Mutex
	account  Account
	metrics  store
	answers  map[string]answer // by the key of the metric
	failures map[string]*Failure
	page     int
	billed   map[string]int64
	calls    map[string]int64
}

// answer is what CloudWatch says of a metric besides its points.
type answer struct{ status, message string }

// New opens an account.
func New(a Account) *Cloud {
	return &Cloud{
		account:  a,
		metrics:  store{series: map[string]*series{}, delays: map[string]time.Duration{}},
		answers:  map[string]answer{},
		failures: map[string]*Failure{},
		billed:   map[string]int64{},
		calls:    map[string]int64{},
	}
}

// Put adds observations to the minute of the metric that holds at. Values that
// are not finite and negative counts are left out, as CloudWatch refuses them. Metrics are kept for
// three hours and a half before the newest minute of all, the daily ones of S3
// for four days.
func (c *Cloud) Put(m Metric, at time.Time, values ...Value) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.metrics.put(m, at.Unix(), values)
}

// Update changes the account's resources under the lock.
func (c *Cloud) Update(change func(*Account)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change(&c.account)
}

// Answer sets what GetMetricData says of a metric: status is "PartialData",
// "InternalError" or "Forbidden", the last two without points; message goes with
// it if it is not empty. An empty status heals.
func (c *Cloud) Answer(m Metric, status, message string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if status == "" {
		delete(c.answers, m.key())
		return
	}
	c.answers[m.key()] = answer{status, message}
}

// Page sets how many results a page of GetMetricData holds; 0: 500.
func (c *Cloud) Page(results int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.page = results
}

// Delay makes points of the namespace show that long after the end of their
// minute; 0, the default, shows them at once, even while their minute lasts.
func (c *Cloud) Delay(namespace string, by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.metrics.delays[namespace] = by
}

// Billed returns how many metrics GetMetricData was asked for as AWS bills them,
// by namespace: up to five statistics of a metric in a request are one, and each
// page is a request.
func (c *Cloud) Billed() map[string]int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.billed)
}

// Calls returns how many HTTP requests came, failed ones too, by action, such as
// "GetMetricData"; those that no action is known for are under "Unknown".
func (c *Cloud) Calls() map[string]int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.calls)
}

// pageSize is how many results a page of GetMetricData holds.
func (c *Cloud) pageSize() int { return cmp.Or(c.page, maxQueries) }
