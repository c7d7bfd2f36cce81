package aws

import (
	"cmp"
	"encoding/base32"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"strconv"
)

// published is when the prices were.
const published = "2026-11-20T00:00:00Z"

// maxProducts is how many products a page of GetProducts holds.
const maxProducts = 100

// productsRequest is a request for GetProducts.
type productsRequest struct {
	ServiceCode string
	Filters     []productFilter
	MaxResults  int
	NextToken   string
}

type productFilter struct{ Type, Field, Value string }

func (c *Cloud) getProducts(call call) (any, error) {
	var r productsRequest
	if err := json.Unmarshal(call.body, &r); err != nil {
		return nil, refused("SerializationException", "reading the request: %v", err)
	}
	if err := r.validate(); err != nil {
		return nil, err
	}
	token := r.NextToken
	r.NextToken = ""
	var first int // product of the page, among those that the filters let through
	if !unseal(token, r, &first) || first < 0 {
		return nil, refused("InvalidNextTokenException", "got a token that is not of this request")
	}
	return c.products(r, first)
}

func (r productsRequest) validate() error {
	for _, f := range r.Filters {
		if f.Type != "TERM_MATCH" {
			return refused("InvalidParameterException", "got a filter of type %q, want TERM_MATCH", f.Type)
		}
	}
	if r.ServiceCode == "" || r.MaxResults < 0 || r.MaxResults > maxProducts {
		return refused("InvalidParameterException", "got service %q and %d results, want a service and 1 to %d results", r.ServiceCode, r.MaxResults, maxProducts)
	}
	return nil
}

func (c *Cloud) products(r productsRequest, first int) (any, error) {
	out := map[string]any{"FormatVersion": "aws_v1"}
	list, passed := []string{}, 0
	for _, p := range c.account.Products {
		if !r.wants(p) {
			continue
		}
		if passed++; passed <= first {
			continue
		}
		if len(list) == cmp.Or(r.MaxResults, maxProducts) {
			token, err := seal(r, first+len(list))
			if err != nil {
				return nil, err
			}
			out["NextToken"] = token
			break
		}
		document, err := json.Marshal(p.document())
		if err != nil {
			return nil, fmt.Errorf("describing a product: %w", err)
		}
		list = append(list, string(document))
	}
	out["PriceList"] = list
	return out, nil
}

func (r productsRequest) wants(p Product) bool {
	for _, f := range r.Filters {
		got, has := p.Attributes[f.Field]
		switch f.Field {
		case "productFamily":
			got, has = p.Family, p.Family != ""
		case "ServiceCode":
			got, has = p.Service, true
		}
		if !has || got != f.Value {
			return false
		}
	}
	return r.ServiceCode == p.Service
}

// object is one of JSON.
type object = map[string]any

// document describes the product as the price list does.
func (p Product) document() object {
	sku := p.sku()
	term := sku + ".JRTCKXETXF" // the code of on-demand terms
	dimensions := object{}
	for i, tier := range p.Tiers {
		rate := fmt.Sprintf("%s.6YS6EN2CT%d", term, i)
		dimensions[rate] = object{
			"unit": p.Unit, "beginRange": tier.Begin, "endRange": tier.End, "rateCode": rate,
			"description":  p.describe(tier),
			"pricePerUnit": object{"USD": strconv.FormatFloat(tier.USD, 'f', 10, 64)},
		}
	}
	product := object{"sku": sku, "attributes": p.Attributes}
	if p.Family != "" {
		product["productFamily"] = p.Family
	}
	return object{
		"serviceCode": p.Service, "product": product, "publicationDate": published, "version": "20261120000000",
		"terms": object{"OnDemand": object{term: object{
			"sku": sku, "offerTermCode": "JRTCKXETXF", "effectiveDate": published, "priceDimensions": dimensions,
		}}},
	}
}

func (p Product) describe(t Tier) string {
	text := fmt.Sprintf("$%s per %s of %s", strconv.FormatFloat(t.USD, 'f', -1, 64), p.Unit, p.Attributes["usagetype"])
	if t.USD == 0 {
		text += " (free tier)"
	}
	return text
}

// sku is a number of the product that no other one has.
func (p Product) sku() string {
	sum := fnv.New128a()
	fmt.Fprint(sum, p.Service, p.Family, p.Attributes)
	return base32.StdEncoding.EncodeToString(sum.Sum(nil))[:16]
}
