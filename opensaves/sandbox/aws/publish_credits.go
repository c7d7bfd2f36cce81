package aws

import (
	"strings"
	"time"
)

// machine is what an instance type of two virtual CPUs has. A credit is a virtual
// CPU for a minute.
type machine struct {
	memory float64 // bytes
	earns  float64 // credits an hour
	holds  float64 // credits that it can save, those of a day
}

var machines = map[string]machine{
	"small":  {2 << 30, 24, 576},
	"medium": {4 << 30, 24, 576},
	"large":  {8 << 30, 36, 864},
}

// machineOf returns what a type like "t3.large" or "cache.t4g.small" has, of
// another size than those as if it were large.
func machineOf(kind string) machine {
	if m, known := machines[kind[strings.LastIndexByte(kind, '.')+1:]]; known {
		return m
	}
	return machines["large"]
}

// savings are the credits that a machine has saved, and what it has spent beyond that.
type savings struct{ balance, surplus float64 }

// spend takes a minute's use of so many virtual CPUs off what the machine of that
// id earned, and returns what it has left: nil if its type is not burstable. At
// first it has all that it can save.
func (p *Publisher) spend(id, kind string, cpus float64) *savings {
	if !strings.HasPrefix(strings.TrimPrefix(kind, "cache."), "t") {
		return nil
	}
	m := machineOf(kind)
	c := p.credits[id]
	if c == nil {
		c = &savings{balance: m.holds}
		p.credits[id] = c
	}
	net := c.balance - c.surplus + m.earns/60 - cpus
	c.balance, c.surplus = max(0, min(m.holds, net)), max(0, -net)
	return c
}

// creditPeriod is how often credits are published.
const creditPeriod = 5 * time.Minute

// credited says whether a period ends with the minute.
func (i *interval) credited() bool {
	return i.start.Add(time.Minute).Truncate(creditPeriod).After(i.start)
}

// creditTime is when the period began that holds the minute.
func (i *interval) creditTime() time.Time { return i.start.Truncate(creditPeriod) }

// ec2 publishes the credits of an instance that used so many virtual CPUs.
func (i *interval) ec2(of Instance, cpus float64) {
	left := i.spend(of.ID, of.Type, cpus)
	if left == nil || !i.credited() {
		return
	}
	dimensions := map[string]string{"InstanceId": of.ID}
	i.cloud.Put(Metric{"AWS/EC2", "CPUCreditBalance", dimensions}, i.creditTime(), Value{Value: left.balance})
	i.cloud.Put(Metric{"AWS/EC2", "CPUSurplusCreditBalance", dimensions}, i.creditTime(), Value{Value: left.surplus})
}
