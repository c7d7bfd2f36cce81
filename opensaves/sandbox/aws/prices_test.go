package aws_test

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/pricing"

	"opensaves-soak/opensaves/sandbox/aws"
)

// document is what a client reads of a product.
type document struct {
	Product struct{ Attributes map[string]string }
	Terms   struct {
		OnDemand map[string]struct {
			PriceDimensions map[string]struct {
				BeginRange   string
				PricePerUnit struct{ USD string }
			}
		}
	}
}

// price is that of the first tier that is not free; 0: there is none.
func (d document) price(t *testing.T) (usd float64) {
	first := 0.0
	for _, term := range d.Terms.OnDemand {
		for _, tier := range term.PriceDimensions {
			begin, err := strconv.ParseFloat(tier.BeginRange, 64)
			if err != nil {
				t.Fatal(err)
			}
			price, err := strconv.ParseFloat(tier.PricePerUnit.USD, 64)
			if err != nil {
				t.Fatal(err)
			}
			if price > 0 && (usd == 0 || begin < first) {
				first, usd = begin, price
			}
		}
	}
	return usd
}

// onShelf returns what products cost that filters let through, by usage type.
func onShelf(t *testing.T, c clients, service string, filters ...string) map[string]float64 {
	t.Helper()
	out, err := c.pricing.GetProducts(t.Context(), &pricing.GetProductsInput{ServiceCode: sdk.String(service), Filters: match(filters...)})
	if err != nil {
		t.Fatal(err)
	}
	prices := map[string]float64{}
	for _, text := range out.PriceList {
		var d document
		if err := json.Unmarshal([]byte(text), &d); err != nil {
			t.Fatal(err)
		}
		prices[strings.TrimPrefix(d.Product.Attributes["usagetype"], "USW2-")] = d.price(t)
	}
	return prices
}

func TestEachListPriceStandsBesideWhatIsEasilyTakenForIt(t *testing.T) {
	c := open(t, aws.Stock("us-west-2"))
	for _, one := range []struct {
		service string
		filters []string
		want    map[string]float64
	}{
		{"AmazonDynamoDB", []string{"productFamily", "Amazon DynamoDB PayPerRequest Throughput", "group", "DDB-WriteUnits"}, map[string]float64{
			"WriteRequestUnits": 0.000000625, "ReplWriteRequestUnits": 0.000000625, "IA-WriteRequestUnits": 0.00000078,
		}},
		{"AmazonDynamoDB", []string{"productFamily", "Provisioned IOPS", "group", "DDB-ReadUnits"}, map[string]float64{"ReadCapacityUnit-Hrs": 0.00013}},
		{"AmazonDynamoDB", []string{"productFamily", "Provisioned IOPS"}, map[string]float64{
			"ReadCapacityUnit-Hrs": 0.00013, "IA-ReadCapacityUnit-Hrs": 0.00016, "WriteCapacityUnit-Hrs": 0.00065,
			"IA-WriteCapacityUnit-Hrs": 0.00081, "ReplWriteCapacityUnit-Hrs": 0.00065,
		}},
		{"AmazonDynamoDB", []string{"productFamily", "Database Storage"}, map[string]float64{
			"TimedStorage-ByteHrs": 0.25, "IA-TimedStorage-ByteHrs": 0.1,
		}},
		{"AmazonS3", []string{"productFamily", "Storage", "volumeType", "Standard"}, map[string]float64{
			"TimedStorage-ByteHrs": 0.023, "StagingStorage-ByteHrs": 0.023,
		}},
		{"AmazonS3", []string{"productFamily", "API Request"}, map[string]float64{
			"Requests-Tier1": 0.000005, "Requests-Tier2": 0.0000004, "Requests-Tier3": 0.00003,
			"Requests-SIA-Tier1": 0.00001, "Requests-SIA-Tier2": 0.000001,
		}},
		{"AmazonElastiCache", []string{"instanceType", "cache.t4g.small", "cacheEngine", "Redis", "locationType", "AWS Region"}, map[string]float64{
			"NodeUsage:cache.t4g.small": 0.032, "ExtendedSupport:Yr1-Yr2:cache.t4g.small": 0.0256,
		}},
		{"AmazonElastiCache", []string{"instanceType", "cache.t4g.small", "cacheEngine", "Valkey"}, map[string]float64{
			"NodeUsage:cache.t4g.small": 0.0256,
		}},
		{"AmazonEKS", []string{"productFamily", "Compute"}, map[string]float64{
			"AmazonEKS-Hours:perCluster": 0.1, "AmazonEKS-Hours:extendedSupport": 0.6,
			"Fargate-vCPU-Hours:perCPU": 0.04048, "Fargate-GB-Hours": 0.004445,
			"Fargate-ARM-vCPU-Hours:perCPU": 0.03238, "Fargate-ARM-GB-Hours": 0.00356,
		}},
		{"AmazonEC2", []string{
			"productFamily", "Compute Instance", "instanceType", "t3.medium", "operatingSystem", "Linux",
			"tenancy", "Shared", "preInstalledSw", "NA", "capacitystatus", "Used",
		}, map[string]float64{"BoxUsage:t3.medium": 0.0416}},
		{"AmazonEC2", []string{"productFamily", "NAT Gateway", "operation", "NatGateway"}, map[string]float64{
			"NatGateway-Hours": 0.045, "NatGateway-Bytes": 0.045, "NatGateway-Prvd-Hours": 0.09, "NatGateway-Prvd-Bytes": 0.09,
		}},
		{"AWSELB", []string{"productFamily", "Load Balancer", "regionCode", "us-west-2"}, map[string]float64{
			"LoadBalancerUsage": 0.025, "DataProcessing-Bytes": 0.008, "Outposts-LoadBalancerUsage": 0,
		}},
		{"AWSDataTransfer", []string{"transferType", "AWS Outbound", "fromRegionCode", "us-west-2"}, map[string]float64{
			"DataTransfer-Out-Bytes": 0.09,
		}},
		{"AWSDataTransfer", []string{"fromRegionCode", "us-west-2"}, map[string]float64{
			"DataTransfer-Out-Bytes": 0.09, "CloudFront-Out-Bytes": 0, "EU-AWS-Out-Bytes": 0.02, "DataTransfer-Regional-Bytes": 0.01,
		}},
		{"AWSDataTransfer", []string{"regionCode", "us-west-2"}, map[string]float64{}},
		{"AmazonCloudWatch", []string{"productFamily", "API Request"}, map[string]float64{
			"CW:GMD-Metrics": 0.00001, "CW:GMWI-Metrics": 0.00002, "CW:Requests": 0.00001,
		}},
		{"AmazonCloudWatch", []string{"usagetype", "USW2-CW:ObservationUsage"}, map[string]float64{"CW:ObservationUsage": 0.00000021}},
		{"awswaf", nil, map[string]float64{
			"WebACLV2": 5, "RuleV2": 1, "RequestV2-Tier1": 0.0000006,
			"ShieldProtected-WebACLV2": 0, "ShieldProtected-RuleV2": 0, "ShieldProtected-RequestV2-Tier1": 0,
		}},
	} {
		compare(t, onShelf(t, c, one.service, one.filters...), nil, one.want)
	}
}
