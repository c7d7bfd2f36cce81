package cost_test

import (
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"opensaves-soak/exporter/cost"
	"opensaves-soak/exporter/metric"
	sandbox "opensaves-soak/opensaves/sandbox/aws"
)

// near says whether two amounts differ by no more than arithmetic does.
func near(a, b float64) bool { return math.Abs(a-b) <= 1e-12*math.Abs(b) }

func TestOperationsCostWhatTheyConsume(t *testing.T) {
	list := cost.NewPrices("us-east-1", nil)
	ours := cost.NewPrices("us-east-1", map[string]float64{"dynamodb_read_unit": 1, "dynamodb_write_unit": 10, "s3_tier1_request": 100, "s3_tier2_request": 1000})
	for _, c := range []struct {
		op           metric.Operation
		record, blob int64
		list, ours   float64
	}{
		{metric.Ping, 1024, 1024, 0, 0},
		{metric.GetRecord, 1024, 0, 0.5 * 0.125e-6, 0.5},
		{metric.GetRecord, 4096 - 470 + 1, 0, 0.125e-6, 1},
		{metric.CreateRecord, 1500, 0, 1.5*0.125e-6 + 7*0.625e-6, 1.5 + 7*10},
		{metric.QueryByGame, 1500, 0, 5.5 * 0.125e-6, 5.5},
		{metric.CreateBlob, 1024, 1 << 20, 0.5*0.125e-6 + 6*0.625e-6 + 5e-6, 0.5 + 60 + 100},
		{metric.CreateBlob, 1024, 10 << 20, 0.5*0.125e-6 + 6*0.625e-6 + 4*5e-6, 0.5 + 60 + 400},
		{metric.GetBlob, 1024, 10 << 20, 0.5*0.125e-6 + 2*0.4e-6, 0.5 + 2000},
	} {
		if got := list.Operation(c.op, c.record, c.blob); !near(got, c.list) {
			t.Errorf("%s of %d and %d bytes at list prices: got %v, want %v", c.op, c.record, c.blob, got, c.list)
		}
		if got := ours.Operation(c.op, c.record, c.blob); !near(got, c.ours) {
			t.Errorf("%s of %d and %d bytes at our prices: got %v, want %v", c.op, c.record, c.blob, got, c.ours)
		}
	}
}

// registry is one that checks everything.
func registry(t *testing.T, collectors ...prometheus.Collector) *prometheus.Registry {
	t.Helper()
	r := prometheus.NewPedanticRegistry()
	for _, c := range collectors {
		r.MustRegister(c)
	}
	problems, err := testutil.GatherAndLint(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	return r
}

// header is what precedes a family of gauges.
func header(d metric.Definition) string {
	return "# HELP " + d.Name + " " + d.Help + "\n# TYPE " + d.Name + " gauge\n"
}

func TestAnOverrideWinsOverALivePriceAndThatOverABuiltInOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)))
		cloud := dear()
		cloud.Update(func(a *sandbox.Account) { a.Products = a.Products[:3] }) // those of the write unit
		p := cost.NewPrices("us-west-2", map[string]float64{"dynamodb_read_unit": 2e-7})
		p.Want("ec2_hour.t3.medium", "ec2_hour.q9.large", "elasticache_serverless_ecpu.redis", "elasticache_serverless_gb_hour.redis")
		running(t, p, cloud)
		time.Sleep(10 * time.Minute)
		r := registry(t, p)
		want := header(metric.CostPrice) + `
			opensaves_cost_price_usd{item="classic_load_balancer_hour",region="us-west-2",source="default",unit="hour"} 0.025
			opensaves_cost_price_usd{item="cloudwatch_metric_requested",region="us-west-2",source="default",unit="metric"} 1e-05
			opensaves_cost_price_usd{item="dynamodb_read_capacity_hour",region="us-west-2",source="default",unit="read_capacity_unit_hour"} 0.00013
			opensaves_cost_price_usd{item="dynamodb_read_unit",region="us-west-2",source="override",unit="read_request_unit"} 2e-07
			opensaves_cost_price_usd{item="dynamodb_storage_gb_month",region="us-west-2",source="default",unit="gb_month"} 0.25
			opensaves_cost_price_usd{item="dynamodb_write_capacity_hour",region="us-west-2",source="default",unit="write_capacity_unit_hour"} 0.00065
			opensaves_cost_price_usd{item="dynamodb_write_unit",region="us-west-2",source="live",unit="write_request_unit"} 1.25e-06
			opensaves_cost_price_usd{item="ec2_hour.t3.medium",region="us-west-2",source="default",unit="hour"} 0.0416
			opensaves_cost_price_usd{item="eks_cluster_hour",region="us-west-2",source="default",unit="hour"} 0.1
			opensaves_cost_price_usd{item="elasticache_serverless_ecpu.redis",region="us-west-2",source="default",unit="ecpu"} 3.4e-09
			opensaves_cost_price_usd{item="elasticache_serverless_gb_hour.redis",region="us-west-2",source="default",unit="gb_hour"} 0.125
			opensaves_cost_price_usd{item="nat_gateway_hour",region="us-west-2",source="default",unit="hour"} 0.045
			opensaves_cost_price_usd{item="s3_storage_gb_month",region="us-west-2",source="default",unit="gb_month"} 0.023
			opensaves_cost_price_usd{item="s3_tier1_request",region="us-west-2",source="default",unit="request"} 5e-06
			opensaves_cost_price_usd{item="s3_tier2_request",region="us-west-2",source="default",unit="request"} 4e-07
			opensaves_cost_price_usd{item="waf_rule_month",region="us-west-2",source="default",unit="month"} 1
			opensaves_cost_price_usd{item="waf_web_acl_month",region="us-west-2",source="default",unit="month"} 5
		` + header(metric.CostPriceAge) + "opensaves_cost_price_age_seconds 600\n"
		if err := testutil.GatherAndCompare(r, strings.NewReader(want)); err != nil {
			t.Error(err)
		}
	})
}

func TestBuiltInPricesAreAsOldAsTheOldestOfThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)))
		want := header(metric.CostPriceAge) + "opensaves_cost_price_age_seconds 63158400\n" // since 2024-01-01
		r := registry(t, cost.NewPrices("us-east-1", nil))
		if err := testutil.GatherAndCompare(r, strings.NewReader(want), metric.CostPriceAge.Name); err != nil {
			t.Error(err)
		}
	})
}
