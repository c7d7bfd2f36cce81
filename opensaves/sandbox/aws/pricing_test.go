package aws_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/pricing"
	"github.com/aws/aws-sdk-go-v2/service/pricing/types"

	"opensaves-soak/opensaves/sandbox/aws"
)

func match(pairs ...string) (filters []types.Filter) {
	for pair := range slices.Chunk(pairs, 2) {
		filters = append(filters, types.Filter{Type: types.FilterTypeTermMatch, Field: &pair[0], Value: &pair[1]})
	}
	return filters
}

func TestAProductIsADocumentOfThePriceList(t *testing.T) {
	c := open(t, aws.Account{Products: []aws.Product{{
		Service: "AmazonDynamoDB", Family: "Provisioned IOPS", Unit: "Hrs",
		Attributes: map[string]string{"usagetype": "WriteCapacityUnit-Hrs"},
		Tiers:      []aws.Tier{{Begin: "0", End: "18600"}, {Begin: "18600", End: "Inf", USD: 0.00065}},
	}}})
	out, err := c.pricing.GetProducts(t.Context(), &pricing.GetProductsInput{
		ServiceCode: sdk.String("AmazonDynamoDB"), Filters: match("productFamily", "Provisioned IOPS", "usagetype", "WriteCapacityUnit-Hrs"),
	})
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(strings.Join(out.PriceList, "\n")), &got); err != nil {
		t.Fatal(err)
	}
	type object = map[string]any
	sku, _ := got["product"].(object)["sku"].(string)
	term := sku + ".JRTCKXETXF"
	rate := func(code, begin, end, usd, description string) object {
		return object{
			"unit": "Hrs", "beginRange": begin, "endRange": end, "rateCode": code,
			"pricePerUnit": object{"USD": usd}, "description": description,
		}
	}
	compare(t, got, nil, object{
		"serviceCode": "AmazonDynamoDB", "publicationDate": "2026-11-20T00:00:00Z", "version": "20261120000000",
		"product": object{"sku": sku, "productFamily": "Provisioned IOPS", "attributes": object{"usagetype": "WriteCapacityUnit-Hrs"}},
		"terms": object{"OnDemand": object{term: object{
			"sku": sku, "offerTermCode": "JRTCKXETXF", "effectiveDate": "2026-11-20T00:00:00Z",
			"priceDimensions": object{
				term + ".6YS6EN2CT0": rate(term+".6YS6EN2CT0", "0", "18600", "0.0000000000", "$0 per Hrs of WriteCapacityUnit-Hrs (free tier)"),
				term + ".6YS6EN2CT1": rate(term+".6YS6EN2CT1", "18600", "Inf", "0.0006500000", "$0.00065 per Hrs of WriteCapacityUnit-Hrs"),
			},
		}}},
	})
}

func TestProductsComeInPages(t *testing.T) {
	c := open(t, aws.Stock("us-east-1"))
	in := &pricing.GetProductsInput{ServiceCode: sdk.String("AmazonEKS"), Filters: match("productFamily", "Compute"), MaxResults: sdk.Int32(4)}
	var sizes []int
	seen := map[string]bool{}
	pages := pricing.NewGetProductsPaginator(c.pricing, in)
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, len(page.PriceList))
		for _, document := range page.PriceList {
			seen[document] = true
		}
	}
	compare(t, sizes, nil, []int{4, 2})
	compare(t, len(seen), nil, 6)
	in.NextToken = sdk.String("?")
	_, err := c.pricing.GetProducts(t.Context(), in)
	wantProblem(t, err, 400, "InvalidNextTokenException")
	in.Filters[0].Type = types.FilterTypeAnyOf
	_, err = c.pricing.GetProducts(t.Context(), in)
	wantProblem(t, err, 400, "InvalidParameterException")
}

func TestUsageTypesHaveThePrefixOfTheirRegion(t *testing.T) {
	for _, one := range []struct{ region, service, usage string }{
		{"us-east-1", "AmazonDynamoDB", "WriteRequestUnits"},
		{"us-west-2", "AmazonDynamoDB", "USW2-WriteRequestUnits"},
		{"eu-west-1", "AmazonElastiCache", "EU-NodeUsage:cache.t4g.small"},
		{"us-east-1", "AmazonEKS", "USE1-AmazonEKS-Hours:perCluster"},
		{"us-west-2", "AmazonEKS", "USW2-AmazonEKS-Hours:perCluster"},
		{"us-east-1", "AmazonCloudWatch", "CW:GMD-Metrics"},
		{"us-east-1", "awswaf", "USE1-WebACLV2"},
	} {
		c := open(t, aws.Stock(one.region))
		out, err := c.pricing.GetProducts(t.Context(), &pricing.GetProductsInput{
			ServiceCode: &one.service, Filters: match("usagetype", one.usage, "regionCode", one.region),
		})
		if err != nil || len(out.PriceList) == 0 {
			t.Errorf("%s: got %v, want products of %s", one.usage, err, one.region)
		}
	}
}
