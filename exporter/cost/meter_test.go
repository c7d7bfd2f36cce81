package cost_test

import (
	"bytes"
	"context"
	"log/slog"
	"math"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"opensaves-soak/exporter/cost"
	"opensaves-soak/exporter/metric"
)

// metered is a meter that runs in a bubble, and what it is fed with.
type metered struct {
	*cost.Meter
	measured atomic.Pointer[cost.Measurement]
	log      bytes.Buffer
}

// meter runs a meter until the test ends.
func meter(t *testing.T, prices *cost.Prices, counts func() cost.Own) *metered {
	m := &metered{}
	m.Meter = cost.NewMeter(cost.MeterOptions{
		Config: cost.Config{BudgetUSDPerHour: 0.5, Fixed: cost.DefaultConfig().Fixed}, Prices: prices, Counts: counts,
		Measure: func() (cost.Measurement, bool) {
			if measured := m.measured.Load(); measured != nil {
				return *measured, true
			}
			return cost.Measurement{}, false
		},
		Log: slog.New(slog.NewJSONHandler(&m.log, nil)),
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		m.Run(ctx)
	}()
	t.Cleanup(func() { cancel(); <-done })
	return m
}

// measure sets what AWS tells of half an hour that begins so many minutes after
// noon: a deployment of one table, that is called so often.
func (m *metered) measure(minute int, calls float64) {
	start := noon.Add(time.Duration(minute) * time.Minute)
	m.measured.Store(&cost.Measurement{
		Start: start, End: start.Add(30 * time.Minute), Tables: []cost.Table{{WriteUnits: 2}},
		Calls: calls, StoredBytes: math.NaN(), PolledPerHour: 256,
	})
}

// steady counts a tester that reads 900 records a second and creates 100, from now on.
func steady() func() cost.Own {
	begin := time.Now()
	return func() (own cost.Own) {
		seconds := time.Since(begin).Seconds()
		own.Requests = 1000 * seconds
		own.Attempts[metric.GetRecord], own.Attempts[metric.CreateRecord] = 900*seconds, 100*seconds
		return own
	}
}

// called is how often steady makes Open Saves call DynamoDB in half an hour.
const called = 1800 * (900 + 100*5)

// round makes prices that are easy to reckon with.
func round() *cost.Prices {
	return cost.NewPrices("us-east-1", map[string]float64{
		"dynamodb_write_unit": 0.5, "cloudwatch_metric_requested": 1.0 / 1024,
		"waf_web_acl_month": 182.5, "waf_rule_month": 0, "nat_gateway_hour": 0.125, "classic_load_balancer_hour": 0.125,
	})
}

const budget = "opensaves_cost_budget_usd_per_hour 0.5\n"

const perHour = `
	opensaves_cost_usd_per_hour{component="cloudwatch",kind="fixed"} 0.25
	opensaves_cost_usd_per_hour{component="dynamodb",kind="fixed"} 0
	opensaves_cost_usd_per_hour{component="dynamodb",kind="variable"} 2
	opensaves_cost_usd_per_hour{component="edge",kind="fixed"} 0.5
	opensaves_cost_usd_per_hour{component="network",kind="fixed"} 0.25
`

// ownS3 is billed where the tester's own calls stand in.
const ownS3 = `opensaves_cost_usd_per_hour{component="s3",kind="variable"} 0` + "\n"

const perMillion = `
	opensaves_cost_usd_per_million_requests{component="cloudwatch",kind="fixed"} 0.06944444444444445
	opensaves_cost_usd_per_million_requests{component="dynamodb",kind="fixed"} 0
	opensaves_cost_usd_per_million_requests{component="dynamodb",kind="variable"} 0.5555555555555556
	opensaves_cost_usd_per_million_requests{component="edge",kind="fixed"} 0.1388888888888889
	opensaves_cost_usd_per_million_requests{component="network",kind="fixed"} 0.06944444444444445
	opensaves_cost_usd_per_million_requests{component="s3",kind="variable"} 0
`

// shared marks components.
func shared(mark string, components ...string) (gauges string) {
	for _, c := range components {
		gauges += `opensaves_cost_shared{component="` + c + `"} ` + mark + "\n"
	}
	return gauges
}

var billed = []string{"cloudwatch", "dynamodb", "edge", "network", "s3"}

// compare wants exactly these gauges.
func (m *metered) compare(t *testing.T, gauges string) {
	t.Helper()
	var want strings.Builder
	for _, d := range []metric.Definition{metric.CostPerHour, metric.CostPerMillion, metric.CostShared, metric.CostBudget} {
		if strings.Contains(gauges, d.Name) {
			want.WriteString(header(d))
			for line := range strings.Lines(gauges) {
				if strings.HasPrefix(strings.TrimSpace(line), d.Name) {
					want.WriteString(line)
				}
			}
		}
	}
	if err := testutil.GatherAndCompare(registry(t, m.Meter), strings.NewReader(want.String())); err != nil {
		t.Error(err)
	}
}

func TestCostsAreSetAgainstWhatTheTesterDidInTheSameMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(noon.Add(30 * time.Second)))
		m := meter(t, round(), steady())
		m.compare(t, budget)
		time.Sleep(31 * time.Minute)
		m.measure(0, called) // it began in the middle of that minute
		m.compare(t, budget+perHour)
		m.measure(1, called/0.95-1)
		m.compare(t, budget+perHour+ownS3+perMillion+shared("0", billed...))
		m.measure(1, called/0.95+1)
		m.compare(t, budget+perHour+ownS3+perMillion+shared("1", billed...))
		m.measure(1, math.NaN())
		m.compare(t, budget+perHour+ownS3+perMillion)
		time.Sleep(time.Minute)
		m.compare(t, budget+perHour) // that is too long ago
	})
}

func TestWithoutRequestsOnlyWhatVariesIsMarked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(noon))
		m := meter(t, round(), func() cost.Own { return cost.Own{} })
		m.measure(1, 10)
		time.Sleep(31*time.Minute + time.Second)
		m.compare(t, budget+perHour+ownS3+shared("1", "dynamodb", "s3"))
		m.measure(1, 0)
		m.compare(t, budget+perHour+ownS3+shared("0", "dynamodb", "s3"))
	})
}

func TestCountsThatComeTooLateAreNoMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(noon))
		m := meter(t, round(), func() cost.Own {
			time.Sleep(2 * time.Second) // the machine stood still
			return cost.Own{Requests: 1}
		})
		m.measure(1, 10)
		time.Sleep(31*time.Minute + 10*time.Second)
		m.compare(t, budget+perHour)
	})
}

func TestMachinesAreLookedUpWhenTheyAreSeenAndMissedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		prices := cost.NewPrices("us-west-2", nil)
		running(t, prices, dear())
		m := meter(t, prices, steady())
		m.measured.Store(&cost.Measurement{
			Nodes:  []cost.Node{{InstanceType: "t4g.large"}, {InstanceType: "q9.large"}, {InstanceType: "q9.large"}, {InstanceType: "q8.large", SpotUSD: 1}},
			Caches: []cost.Cache{{Engine: "redis", NodeType: "cache.t4g.small"}, {Engine: "valkey", Serverless: true}},
		})
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		want := map[string]float64{"ec2_hour.t4g.large": 2 * 0.0672, "elasticache_node_hour.redis.cache.t4g.small": 2 * 0.032}
		if diff := gocmp.Diff(want, of(prices, map[string]float64{
			"ec2_hour.t4g.large": 0, "elasticache_node_hour.redis.cache.t4g.small": 0, "ec2_hour.q9.large": 0, "ec2_hour.q8.large": 0,
		})); diff != "" {
			t.Errorf("prices (-want +got):\n%s", diff)
		}
		if got := strings.Count(m.log.String(), "\n"); got != 1 || !strings.Contains(m.log.String(), `"item":"ec2_hour.q9.large"`) {
			t.Errorf("got the log %s, want one line on ec2_hour.q9.large", m.log.String())
		}
	})
}
