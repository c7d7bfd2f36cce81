package aws

import (
	"context"
	"slices"
	"sync/atomic"
	"time"
)

// Names in the stock deployment.
const (
	clusterName  = "open-saves-cluster"
	namespace    = "open-saves"
	workloadName = "open-saves" // of the deployment, and of the service before it
)

// Publisher brings what a Meter counts into a Cloud, minute by minute, as
// CloudWatch would have it of the stock deployment.
type Publisher struct {
	cloud *Cloud
	meter *Meter
	held  func() Holdings

	turn    chan struct{}           // whoever runs has put something in
	seen    map[*atomic.Int64]int64 // what the counts of the meter were
	day     time.Time               // of the last daily metrics
	credits map[string]*savings     // by the id of the instance, or of the cache
}

// NewPublisher returns one that has published nothing but what buckets held
// yesterday; held says what is stored now, and is not called twice at a time.
func NewPublisher(c *Cloud, m *Meter, held func() Holdings) *Publisher {
	p := &Publisher{
		cloud: c, meter: m, held: held,
		turn: make(chan struct{}, 1), seen: map[*atomic.Int64]int64{}, credits: map[string]*savings{},
	}
	p.storage(time.Now().UTC().Truncate(24 * time.Hour))
	return p
}

// Run publishes each full minute when it has ended, until ctx ends. Of several
// that run, one publishes.
func (p *Publisher) Run(ctx context.Context) {
	select {
	case p.turn <- struct{}{}:
	case <-ctx.Done():
		return
	}
	defer func() { <-p.turn }()
	for {
		now := time.Now()
		end := now.Truncate(time.Minute).Add(time.Minute)
		timer := time.NewTimer(end.Sub(now))
		select {
		case <-timer.C:
			p.publish(end.Add(-time.Minute).UTC())
		case <-ctx.Done():
			timer.Stop()
			return
		}
	}
}

// interval is what is published of a minute.
type interval struct {
	*Publisher
	start   time.Time
	account Account
	held    Holdings
	growth  map[*atomic.Int64]float64 // of the counts that were asked for
}

func (p *Publisher) publish(start time.Time) {
	if day := start.Truncate(24 * time.Hour); day.After(p.day) {
		p.storage(day)
	}
	i := &interval{Publisher: p, start: start, held: p.held(), growth: map[*atomic.Int64]float64{}}
	p.cloud.Update(func(a *Account) {
		i.held.writeTo(a)
		i.account = Account{
			Buckets: slices.Clone(a.Buckets), CacheClusters: slices.Clone(a.CacheClusters), Instances: slices.Clone(a.Instances),
		}
	})
	i.dynamoDB()
	for _, b := range i.account.Buckets {
		i.s3(b)
	}
	for _, c := range i.account.CacheClusters {
		i.redis(c)
	}
	i.eks()
}

// writeTo brings sizes and counts of the tables up to date.
func (h *Holdings) writeTo(a *Account) {
	for i := range a.Tables {
		t := &a.Tables[i]
		role := slices.Index(tableNames[:], t.Name)
		if role < 0 {
			continue
		}
		of := h.Tables[role]
		t.Items, t.SizeBytes = of[Base].Items, of[Base].Bytes
		for j := range t.Indexes {
			if view := slices.Index(indexNames[:], t.Indexes[j].Name); view > 0 {
				t.Indexes[j].Items, t.Indexes[j].SizeBytes = of[view].Items, of[view].Bytes
			}
		}
	}
}

// grown returns by how much a count of the meter grew in the minute.
func (i *interval) grown(count *atomic.Int64) float64 {
	by, asked := i.growth[count]
	if !asked {
		now := count.Load()
		by = float64(now - i.seen[count])
		i.seen[count], i.growth[count] = now, by
	}
	return by
}

// rate returns by how much a count of the meter grew in a second.
func (i *interval) rate(count *atomic.Int64) float64 { return i.grown(count) / time.Minute.Seconds() }

// busy returns the share of the minute that a count of nanoseconds makes.
func (i *interval) busy(nanoseconds *atomic.Int64) float64 {
	return min(1, i.grown(nanoseconds)/float64(time.Minute))
}

// family is a namespace with a set of dimensions.
type family struct {
	namespace  string
	dimensions map[string]string
}

// put adds observations of a metric to the minute.
func (i *interval) put(f family, name string, values ...Value) {
	if len(values) > 0 {
		i.cloud.Put(Metric{f.namespace, name, f.dimensions}, i.start, values...)
	}
}

// level publishes the state of a thing, also when it is 0.
func (i *interval) level(f family, name string, value float64) {
	i.put(f, name, Value{Value: value})
}

// events publishes how many there were, each an observation of 1, if there were any.
func (i *interval) events(f family, name string, n float64) {
	if n > 0 {
		i.put(f, name, Value{1, n})
	}
}

// total publishes a sum as one observation, unless it is 0.
func (i *interval) total(f family, name string, sum float64) {
	if sum > 0 {
		i.level(f, name, sum)
	}
}
