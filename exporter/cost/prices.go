// Package cost tells what Open Saves on AWS costs: an operation, for the guard that
// caps the load, and a whole deployment, for the gauges. All prices are in USD, those
// of the public list: without free tier, discounts, savings plans and tax.
package cost

import (
	"maps"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"opensaves-soak/exporter/metric"
)

// The values of the label "source", in the order in which one gives way to another.
const (
	sourceOverride = "override"
	sourceLive     = "live"
	sourceDefault  = "default"
)

// Prices are those in force in a region. A price that was handed in wins over one
// read from AWS, and that over the built-in one, which is the list price in
// us-east-1 whatever the region. Prices are safe for concurrent use, and a
// prometheus.Collector of themselves.
type Prices struct {
	region string
	mu     sync.Mutex // held by those who change current
	now    atomic.Pointer[current]
	news   chan struct{} // has one when there are new items to read
	path   string        // of the file that live prices are kept in; empty: none
}

// current is what is known. It never changes.
type current struct {
	prices map[string]price
	wanted []string // items that the model uses, sorted
	rates  rates
}

type price struct {
	usd    float64
	source string
	at     time.Time // when it was read, or its date if it is built in
}

// rates are what Operation needs at each request.
type rates struct{ readUnit, writeUnit, tier1, tier2 float64 }

// NewPrices returns the built-in prices and those handed in, in USD for one unit
// by item, as Config has them. The items of machines and serverless caches are in
// use once they are wanted.
func NewPrices(region string, overrides map[string]float64) *Prices {
	p := &Prices{region: region, news: make(chan struct{}, 1)}
	c := current{prices: map[string]price{}}
	for _, i := range slices.Concat(common, serverless) {
		c.prices[i.name] = price{i.usd, sourceDefault, i.asOf}
	}
	for _, i := range common {
		c.wanted = append(c.wanted, i.name)
	}
	for name := range machines {
		i, _ := itemOf(name)
		c.prices[name] = price{i.usd, sourceDefault, i.asOf}
	}
	for name, usd := range overrides {
		c.prices[name] = price{usd: usd, source: sourceOverride}
	}
	slices.Sort(c.wanted)
	p.store(c)
	return p
}

// USD is the price of one unit of the item, and whether there is one.
func (p *Prices) USD(item string) (float64, bool) {
	found, ok := p.now.Load().prices[item]
	return found.usd, ok
}

// usd is NaN where there is no price, so that no sum can be made of it.
func (p *Prices) usd(item string) float64 {
	if usd, ok := p.USD(item); ok {
		return usd
	}
	return math.NaN()
}

// RequestedMetric is the price of a metric that GetMetricData is asked for, in USD.
func (p *Prices) RequestedMetric() float64 { return p.usd(requestedMetric) }

// Want puts items in use that the deployment turned out to have. Names that
// are no item's are left out.
func (p *Prices) Want(items ...string) {
	known := p.now.Load().wanted
	items = slices.DeleteFunc(slices.Clone(items), func(name string) bool {
		_, found := slices.BinarySearch(known, name)
		_, ok := itemOf(name)
		return found || !ok
	})
	if len(items) == 0 {
		return
	}
	p.change(func(c *current) {
		c.wanted = append(slices.Clone(c.wanted), items...)
		slices.Sort(c.wanted)
		c.wanted = slices.Compact(c.wanted)
	})
	select {
	case p.news <- struct{}{}:
	default: // there are some already
	}
}

// set takes a price that was read from AWS.
func (p *Prices) set(item string, usd float64, at time.Time) {
	p.change(func(c *current) {
		c.prices = maps.Clone(c.prices)
		c.prices[item] = price{usd, sourceLive, at}
	})
}

// asked are the items whose price AWS is asked for.
func (p *Prices) asked() (items []string) {
	c := p.now.Load()
	for _, name := range c.wanted {
		if c.prices[name].source != sourceOverride {
			items = append(items, name)
		}
	}
	return items
}

func (p *Prices) change(edit func(*current)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := *p.now.Load()
	edit(&c)
	p.store(c)
}

func (p *Prices) store(c current) {
	c.rates = rates{
		readUnit: c.prices[readUnit].usd, writeUnit: c.prices[writeUnit].usd,
		tier1: c.prices[tier1Request].usd, tier2: c.prices[tier2Request].usd,
	}
	p.now.Store(&c)
}

var (
	priceDesc    = desc(metric.CostPrice)
	priceAgeDesc = desc(metric.CostPriceAge)
)

func desc(d metric.Definition) *prometheus.Desc {
	return prometheus.NewDesc(d.Name, d.Help, d.Labels, nil)
}

// Describe sends the descriptions of the prices and their age.
func (p *Prices) Describe(ch chan<- *prometheus.Desc) {
	ch <- priceDesc
	ch <- priceAgeDesc
}

// Collect sends the price of each item that the model uses; a machine without a
// price has no series. The age is that of the oldest price read from AWS that is
// in force or, where none was read, of the oldest built-in one.
func (p *Prices) Collect(ch chan<- prometheus.Metric) {
	c := p.now.Load()
	oldest := map[string]time.Time{}
	for _, name := range c.wanted {
		found, ok := c.prices[name]
		if !ok {
			continue
		}
		i, _ := itemOf(name)
		ch <- gauge(priceDesc, found.usd, name, i.unit, p.region, found.source)
		if at, seen := oldest[found.source]; !seen || found.at.Before(at) {
			oldest[found.source] = found.at
		}
	}
	for _, source := range []string{sourceLive, sourceDefault} {
		if at, seen := oldest[source]; seen {
			ch <- gauge(priceAgeDesc, time.Since(at).Seconds())
			return
		}
	}
}
