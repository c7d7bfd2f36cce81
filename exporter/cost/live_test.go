package cost_test

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/pricing"
	gocmp "github.com/google/go-cmp/cmp"

	"opensaves-soak/exporter/cost"
	sandbox "opensaves-soak/opensaves/sandbox/aws"
)

// dearPrices are those of every deployment at dear.
var dearPrices = map[string]float64{
	"dynamodb_write_unit": 2 * 0.625e-6, "dynamodb_read_unit": 2 * 0.125e-6, "dynamodb_write_capacity_hour": 2 * 0.00065,
	"dynamodb_read_capacity_hour": 2 * 0.00013, "dynamodb_storage_gb_month": 2 * 0.25, "s3_tier1_request": 2 * 5e-6,
	"s3_tier2_request": 2 * 0.4e-6, "s3_storage_gb_month": 2 * 0.023, "eks_cluster_hour": 2 * 0.1, "nat_gateway_hour": 2 * 0.045,
	"classic_load_balancer_hour": 2 * 0.025, "waf_web_acl_month": 2 * 5, "waf_rule_month": 2 * 1, "cloudwatch_metric_requested": 2 * 10e-6,
}

func TestEveryPriceOfARegionIsReadAndNoneOfThoseBesideIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := dear()
		for range 150 { // on more than one page
			sell(cloud, "awswaf", "USW2-ShieldProtected-RuleV2", "", 1)
		}
		p := cost.NewPrices("us-west-2", nil)
		log := running(t, p, cloud)
		if diff := gocmp.Diff(dearPrices, of(p, dearPrices), about); diff != "" {
			t.Errorf("prices (-want +got):\n%s", diff)
		}
		if log.Len() > 0 {
			t.Errorf("got the log %s, want none", log)
		}
	})
}

func TestPricesHaveNoPrefixInTheOldestRegion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := sandbox.New(sandbox.Stock("us-east-1"))
		reprice(cloud, "WriteRequestUnits", 0.6e-6)
		reprice(cloud, "USE1-AmazonEKS-Hours:perCluster", 0.11)
		p := cost.NewPrices("us-east-1", nil)
		log := running(t, p, cloud)
		want := map[string]float64{"dynamodb_write_unit": 0.6e-6, "eks_cluster_hour": 0.11, "dynamodb_storage_gb_month": 0.25}
		if diff := gocmp.Diff(want, of(p, want), about); diff != "" {
			t.Errorf("prices (-want +got):\n%s", diff)
		}
		if log.Len() > 0 {
			t.Errorf("got the log %s, want none", log)
		}
	})
}

const cannotRead = "Prices cannot be read from AWS, those at hand hold: "

func TestAnItemWithoutOneProductKeepsItsPriceAndIsSaidOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := dear()
		sell(cloud, "awswaf", "USW2-RuleV2", "", 2)
		reprice(cloud, "USW2-Requests-Tier1", 0.0051) // for a thousand
		reprice(cloud, "USW2-Requests-Tier2", -1)
		reprice(cloud, "USW2-CW:GMD-Metrics", 0)
		p := cost.NewPrices("us-west-2", nil)
		log := running(t, p, cloud)
		want := map[string]float64{
			"waf_rule_month": 1, "s3_tier1_request": 0.005 / 1e3, "s3_tier2_request": 0.0004 / 1e3, "cloudwatch_metric_requested": 0.01 / 1e3,
			"eks_cluster_hour": 0.2,
		}
		if diff := gocmp.Diff(want, of(p, want), about); diff != "" {
			t.Errorf("prices (-want +got):\n%s", diff)
		}
		time.Sleep(12 * time.Hour)
		synctest.Wait()
		if diff := gocmp.Diff(map[string]string{
			"cloudwatch_metric_requested": cannotRead + "picking a product: got 0 with a price, want 1",
			"waf_rule_month":              cannotRead + "picking a product: got 2 with a price, want 1",
			"s3_tier1_request":            cannotRead + "picking a product: got 0.0051 USD for one request, want about the 5e-06 that are built in",
			"s3_tier2_request":            cannotRead + `parsing the price of a product: got "-1.0000000000", want a number of 0 or more`,
		}, said(t, log)); diff != "" {
			t.Errorf("log (-want +got):\n%s", diff)
		}
	})
}

// asked is how often the list was.
func asked(cloud *sandbox.Cloud) int64 { return cloud.Calls()["GetProducts"] }

func TestPricesAreReadOnceADayAndAfterAFailureOnceAnHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud, p := dear(), cost.NewPrices("us-west-2", nil)
		log := running(t, p, cloud)
		time.Sleep(24*time.Hour - time.Second)
		synctest.Wait()
		each := asked(cloud)
		if want := int64(len(dearPrices)); each != want {
			t.Errorf("on the first day: got %d calls, want %d", each, want)
		}
		cloud.Fail("GetProducts", &sandbox.Failure{Status: 400, Code: "AccessDeniedException"})
		time.Sleep(3*time.Hour + time.Minute)
		synctest.Wait()
		if got := asked(cloud); got != 5*each {
			t.Errorf("after three hours of failures: got %d calls, want %d", got, 5*each)
		}
		if diff := gocmp.Diff(dearPrices, of(p, dearPrices), about); diff != "" {
			t.Errorf("prices after failures (-want +got):\n%s", diff)
		}
		if got := said(t, log); len(got) != 1 {
			t.Errorf("got the log %v, want one line for all items", got)
		}
		cloud.Fail("GetProducts", nil)
		reprice(cloud, "USW2-AmazonEKS-Hours:perCluster", 0.12)
		time.Sleep(time.Hour)
		synctest.Wait()
		if usd, _ := p.USD("eks_cluster_hour"); usd != 0.12 {
			t.Errorf("when it was healed: got %v, want the new price, 0.12", usd)
		}
	})
}

func TestAListThatHangsHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud, p := dear(), cost.NewPrices("us-west-2", nil)
		cloud.Fail("GetProducts", &sandbox.Failure{Hang: true})
		log := running(t, p, cloud)
		p.Want("ec2_hour.t3.medium")
		if usd, ok := p.USD("ec2_hour.t3.medium"); usd != 0.0416 || !ok {
			t.Errorf("got %v, %v, want the built-in price", usd, ok)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if got := said(t, log); len(got) == 0 {
			t.Errorf("got no log, want why prices were not read")
		}
	})
}

func TestWhatIsNewIsPricedAtOnceAndWhatIsOverriddenIsNotAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := dear()
		p := cost.NewPrices("us-west-2", map[string]float64{"dynamodb_write_unit": 1e-7})
		sell(cloud, "AmazonElastiCache", "USW2-CachedData:Valkey", "CreateServerlessCache", 0.1)
		sell(cloud, "AmazonElastiCache", "USW2-ElastiCacheProcessingUnits:Valkey", "CreateServerlessCache", 3e-9)
		running(t, p, cloud)
		before := asked(cloud)
		p.Want("ec2_hour.t4g.medium", "no_item", "ec2_hour.t4g.medium")
		synctest.Wait()
		p.Want("ec2_hour.t4g.medium")
		synctest.Wait()
		p.Want("elasticache_node_hour.redis.cache.m7g.large", "elasticache_serverless_gb_hour.valkey", "elasticache_serverless_ecpu.valkey")
		synctest.Wait()
		want := map[string]float64{
			"ec2_hour.t4g.medium": 2 * 0.0336, "elasticache_node_hour.redis.cache.m7g.large": 2 * 0.158,
			"elasticache_serverless_gb_hour.valkey": 0.1, "elasticache_serverless_ecpu.valkey": 3e-9,
			"dynamodb_write_unit": 1e-7, "dynamodb_read_unit": 2 * 0.125e-6,
		}
		if diff := gocmp.Diff(want, of(p, want), about); diff != "" {
			t.Errorf("prices (-want +got):\n%s", diff)
		}
		if got := asked(cloud); before != int64(len(dearPrices)-1) || got != before+4 {
			t.Errorf("got %d calls and %d more, want %d and 4", before, got-before, len(dearPrices)-1)
		}
	})
}

func TestAListWithoutAnEndIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := dear()
		for range 2001 {
			sell(cloud, "awswaf", "USW2-RuleV2", "", 1)
		}
		got := said(t, running(t, cost.NewPrices("us-west-2", nil), cloud))
		want := map[string]string{"waf_rule_month waf_web_acl_month": cannotRead + "reading products: got more than 20 pages of them"}
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("log (-want +got):\n%s", diff)
		}
	})
}

// cut is a network whose every connection breaks, each from another port.
type cut struct{ ports int }

func (c *cut) RoundTrip(*http.Request) (*http.Response, error) {
	c.ports++
	return nil, &net.OpError{Op: "read", Net: "tcp", Source: &net.TCPAddr{Port: c.ports}, Err: syscall.ECONNRESET}
}

func TestABrokenNetworkIsSaidOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := pricing.New(pricing.Options{Region: "us-east-1", HTTPClient: &http.Client{Transport: &cut{}}, Credentials: anybody})
		var log bytes.Buffer
		ctx, cancel := context.WithTimeout(t.Context(), 12*time.Hour)
		defer cancel()
		cost.NewPrices("us-west-2", nil).Run(ctx, broken.GetProducts, slog.New(slog.NewJSONHandler(&log, nil)))
		got := said(t, &log)
		for items, why := range got {
			if len(got) > 1 || !strings.HasPrefix(why, cannotRead) || !strings.Contains(why, "connection reset by peer") {
				t.Errorf("%s: got %q, want one line on the reset", items, why)
			}
		}
		if len(got) == 0 {
			t.Error("got no log, want a line on the reset")
		}
	})
}
