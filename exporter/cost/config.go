package cost

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
)

// Config is the section "cost" of the configuration file.
type Config struct {
	BudgetUSDPerHour float64            `yaml:"budget_usd_per_hour" help:"what the deployment may cost in an hour, exported as a gauge for an alert; 0: no alert"`
	LivePrices       bool               `yaml:"live_prices" help:"read prices from the AWS Price List API, at start and once a day, where AWS access is configured"`
	Prices           map[string]float64 `yaml:"prices" help:"USD for one unit by item, instead of the list prices; the items are those of the label item of opensaves_cost_price_usd"`
	Fixed            Fixed              `yaml:"fixed"`
}

// Fixed is how many a deployment has of what CloudWatch is not asked about.
type Fixed struct {
	NATGateways          int `yaml:"nat_gateways" help:"NAT gateways that the deployment pays for"`
	ClassicLoadBalancers int `yaml:"classic_load_balancers" help:"classic load balancers that the deployment pays for"`
	WAFWebACLs           int `yaml:"waf_web_acls" help:"web ACLs of AWS WAF that the deployment pays for"`
	WAFRules             int `yaml:"waf_rules" help:"rules in all those web ACLs together"`
}

// DefaultConfig returns what holds where the file is silent: Open Saves as its
// own Terraform installs it.
func DefaultConfig() Config {
	return Config{
		LivePrices: true,
		Fixed:      Fixed{NATGateways: 1, ClassicLoadBalancers: 1, WAFWebACLs: 2, WAFRules: 4},
	}
}

// Validate joins every mistake, each with its path in the file.
func (c Config) Validate() error {
	var m mistakes
	m.want(finite(c.BudgetUSDPerHour), "cost.budget_usd_per_hour: got %v, want 0 (no alert) or more", c.BudgetUSDPerHour)
	for _, name := range slices.Sorted(maps.Keys(c.Prices)) {
		_, known := itemOf(name)
		m.want(known, "cost.prices.%s: got an unknown item, want one of %s", name, itemNames())
		m.want(finite(c.Prices[name]), "cost.prices.%s: got %v, want 0 or more USD", name, c.Prices[name])
	}
	for _, f := range []struct {
		key   string
		count int
	}{
		{"nat_gateways", c.Fixed.NATGateways},
		{"classic_load_balancers", c.Fixed.ClassicLoadBalancers},
		{"waf_web_acls", c.Fixed.WAFWebACLs},
		{"waf_rules", c.Fixed.WAFRules},
	} {
		m.want(f.count >= 0, "cost.fixed.%s: got %d, want 0 or more", f.key, f.count)
	}
	return errors.Join(m...)
}

// mistakes collects what Validate finds.
type mistakes []error

func (m *mistakes) want(ok bool, format string, args ...any) {
	if !ok {
		*m = append(*m, fmt.Errorf(format, args...))
	}
}

// finite says that x is a number of 0 or more.
func finite(x float64) bool { return x >= 0 && !math.IsInf(x, 1) }
