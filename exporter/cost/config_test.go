package cost_test

import (
	"math"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"opensaves-soak/exporter/cost"
)

func TestTheDefaultsAreValid(t *testing.T) {
	c := cost.DefaultConfig()
	c.Prices = map[string]float64{"dynamodb_read_unit": 0, "ec2_hour.m7g.xlarge": 0.16, "elasticache_node_hour.valkey.cache.t4g.small": 0.02}
	if err := c.Validate(); err != nil {
		t.Errorf("got %v, want no error", err)
	}
}

func TestEveryMistakeIsNamedWithItsPath(t *testing.T) {
	c := cost.Config{
		BudgetUSDPerHour: math.NaN(),
		Prices:           map[string]float64{"dynamodb_raed": 1, "dynamodb_read_unit": -1, "waf_rule_month": math.Inf(1)},
		Fixed:            cost.Fixed{NATGateways: -1, ClassicLoadBalancers: -2, WAFWebACLs: -3, WAFRules: -4},
	}
	want := []string{
		"cost.budget_usd_per_hour: got NaN, want 0 (no alert) or more",
		"cost.prices.dynamodb_raed: got an unknown item, want one of dynamodb_write_unit, dynamodb_read_unit, dynamodb_write_capacity_hour, " +
			"dynamodb_read_capacity_hour, dynamodb_storage_gb_month, s3_tier1_request, s3_tier2_request, s3_storage_gb_month, eks_cluster_hour, " +
			"nat_gateway_hour, classic_load_balancer_hour, waf_web_acl_month, waf_rule_month, cloudwatch_metric_requested, " +
			"elasticache_serverless_gb_hour.redis, elasticache_serverless_gb_hour.valkey, elasticache_serverless_ecpu.redis, " +
			"elasticache_serverless_ecpu.valkey, ec2_hour.<instance type>, elasticache_node_hour.<redis or valkey>.<node type>",
		"cost.prices.dynamodb_read_unit: got -1, want 0 or more USD",
		"cost.prices.waf_rule_month: got +Inf, want 0 or more USD",
		"cost.fixed.nat_gateways: got -1, want 0 or more",
		"cost.fixed.classic_load_balancers: got -2, want 0 or more",
		"cost.fixed.waf_web_acls: got -3, want 0 or more",
		"cost.fixed.waf_rules: got -4, want 0 or more",
	}
	if diff := gocmp.Diff(strings.Join(want, "\n"), c.Validate().Error()); diff != "" {
		t.Errorf("mistakes (-want +got):\n%s", diff)
	}
}
