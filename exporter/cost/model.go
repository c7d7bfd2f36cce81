package cost

import (
	"math"
	"slices"

	"opensaves-soak/exporter/metric"
)

const (
	hoursPerMonth = 730
	gigabyte      = 1e9 // bytes
)

// Kind says whether a cost goes with the load; the value of the label "kind".
type Kind bool

// The kinds.
const (
	KindFixed    Kind = false
	KindVariable Kind = true
)

// String returns "fixed" or "variable".
func (k Kind) String() string {
	if k == KindVariable {
		return "variable"
	}
	return "fixed"
}

// Line is what a component costs in an hour.
type Line struct {
	Component  metric.Component
	Kind       Kind
	USDPerHour float64
}

// Bill is what a deployment costs in an hour of the load in the measurement, at the
// prices in force: list prices in USD, without free tier, discounts, traffic and
// tax. A line that needs something unknown, be it consumption or a price, is left
// out, as is one of which the deployment has nothing. own is what the tester did
// meanwhile, nil: unknown. Where the bucket has no request metrics, the tester's
// own calls to S3 stand in for all, each upload as one part.
func Bill(m Measurement, fixed Fixed, p *Prices, own *Own) []Line {
	b := bill{measured: m, prices: p, hours: math.NaN()}
	if h := m.End.Sub(m.Start).Hours(); h > 0 {
		b.hours = h
	}
	lines := []Line{
		{metric.EKS, KindFixed, b.cluster()},
		{metric.DynamoDB, KindFixed, b.tables()},
		{metric.DynamoDB, KindVariable, b.units()},
		{metric.S3, KindFixed, m.StoredBytes / gigabyte * p.usd(blobStorage) / hoursPerMonth},
		{metric.S3, KindVariable, b.requests(own)},
		{metric.Redis, KindFixed, b.caches()},
		{metric.Redis, KindVariable, b.ecpus()},
		{metric.Network, KindFixed, float64(fixed.NATGateways)*p.usd(natGateway) + float64(fixed.ClassicLoadBalancers)*p.usd(loadBalancer)},
		{metric.Edge, KindFixed, (float64(fixed.WAFWebACLs)*p.usd(webACL) + float64(fixed.WAFRules)*p.usd(wafRule)) / hoursPerMonth},
		{metric.CloudWatch, KindFixed, m.PolledPerHour * p.usd(requestedMetric)},
	}
	return slices.DeleteFunc(lines, func(l Line) bool { return math.IsNaN(l.USDPerHour) })
}

// bill works a Bill out. What is unknown is NaN, and makes every sum it is part of
// NaN.
type bill struct {
	measured Measurement
	prices   *Prices
	hours    float64
}

func (b bill) cluster() float64 {
	if !b.measured.Cluster || len(b.measured.Nodes) == 0 {
		return math.NaN()
	}
	usd := b.prices.usd(clusterHour)
	for _, n := range b.measured.Nodes {
		if n.SpotUSD != 0 { // NaN too
			usd += n.SpotUSD
		} else {
			usd += b.prices.usd(ec2Item(n.InstanceType))
		}
	}
	return usd
}

// tables is what they cost without any request.
func (b bill) tables() float64 {
	usd := nothing(b.measured.Tables)
	for _, t := range b.measured.Tables {
		usd += t.StoredBytes / gigabyte * b.prices.usd(tableStorage) / hoursPerMonth
		if t.Provisioned {
			usd += t.ReadCapacity*b.prices.usd(readCapacity) + t.WriteCapacity*b.prices.usd(writeCapacity)
		}
	}
	return usd
}

// units is what tables on demand consume.
func (b bill) units() float64 {
	onDemand := slices.DeleteFunc(slices.Clone(b.measured.Tables), func(t Table) bool { return t.Provisioned })
	usd := nothing(onDemand)
	for _, t := range onDemand {
		usd += t.ReadUnits*b.prices.usd(readUnit) + t.WriteUnits*b.prices.usd(writeUnit)
	}
	return usd / b.hours
}

func (b bill) requests(own *Own) float64 {
	r := b.measured.S3
	if r == nil && own != nil {
		estimate := own.requests()
		r = &estimate
	}
	if r == nil {
		return math.NaN()
	}
	return (r.Tier1*b.prices.usd(tier1Request) + r.Tier2*b.prices.usd(tier2Request)) / b.hours
}

// leastBytes is what is charged of a serverless cache at least
// (https://aws.amazon.com/elasticache/pricing/).
var leastBytes = map[string]float64{"redis": 1e9, "valkey": 0.1e9}

func (b bill) caches() float64 {
	usd := nothing(b.measured.Caches)
	for _, c := range b.measured.Caches {
		if c.Serverless {
			usd += math.Max(c.StoredBytes, leastBytes[c.Engine]) / gigabyte * b.prices.usd(storageItem(c.Engine))
		} else {
			usd += float64(c.Nodes) * b.prices.usd(nodeItem(c.Engine, c.NodeType))
		}
	}
	return usd
}

// ecpus is what serverless caches consume.
func (b bill) ecpus() float64 {
	serverless := slices.DeleteFunc(slices.Clone(b.measured.Caches), func(c Cache) bool { return !c.Serverless })
	usd := nothing(serverless)
	for _, c := range serverless {
		usd += c.ECPUs * b.prices.usd(ecpuItem(c.Engine))
	}
	return usd / b.hours
}

// nothing is 0, or NaN where there is nothing to add up.
func nothing[T any](list []T) float64 {
	if len(list) == 0 {
		return math.NaN()
	}
	return 0
}

// items are those of what the deployment turned out to have, each once.
func (m Measurement) items() (items []string) {
	for _, n := range m.Nodes {
		if n.SpotUSD == 0 {
			items = append(items, ec2Item(n.InstanceType))
		}
	}
	for _, c := range m.Caches {
		if c.Serverless {
			items = append(items, storageItem(c.Engine), ecpuItem(c.Engine))
		} else {
			items = append(items, nodeItem(c.Engine, c.NodeType))
		}
	}
	slices.Sort(items)
	return slices.Compact(items)
}
