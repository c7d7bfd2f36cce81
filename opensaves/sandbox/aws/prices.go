package aws

import (
	"maps"
	"slices"
)

// usagePrefixes come before usage types outside us-east-1, and there before those
// of newer services.
var usagePrefixes = map[string]string{
	"us-east-1": "USE1-", "us-east-2": "USE2-", "us-west-1": "USW1-", "us-west-2": "USW2-",
	"ca-central-1": "CAN1-", "sa-east-1": "SAE1-",
	"eu-west-1": "EU-", "eu-west-2": "EUW2-", "eu-west-3": "EUW3-", "eu-central-1": "EUC1-", "eu-north-1": "EUN1-",
	"ap-northeast-1": "APN1-", "ap-northeast-2": "APN2-", "ap-southeast-1": "APS1-", "ap-southeast-2": "APS2-", "ap-south-1": "APS3-",
}

// shelf collects the products of a region. Their prices are those of us-east-1.
type shelf struct {
	region   string
	old, new string // what usage types of older and newer services begin with
	products []Product
}

// stockProducts returns what a deployment of Open Saves pays for, with what stands
// beside it in the price list and is easily taken for it: free tiers, other storage
// classes, replicated writes, extended support, other tenancies.
func stockProducts(region string) []Product {
	s := &shelf{region: region, old: usagePrefixes[region], new: usagePrefixes[region]}
	if region == "us-east-1" {
		s.old = ""
	}
	s.tables()
	s.blobs()
	s.caches()
	s.cluster()
	s.nodes()
	s.network()
	s.edge()
	s.observation()
	return s.products
}

// put puts a product on the shelf; usage is its usage type.
func (s *shelf) put(p Product, usage string, tiers ...Tier) {
	attributes := map[string]string{
		"servicecode": p.Service, "regionCode": s.region, "locationType": "AWS Region", "usagetype": usage,
	}
	maps.Copy(attributes, p.Attributes)
	maps.DeleteFunc(attributes, func(_, value string) bool { return value == "" })
	p.Attributes, p.Tiers = attributes, tiers
	s.products = append(s.products, p)
}

// flat is a price that does not depend on how much is used.
func flat(usd float64) Tier { return Tier{"0", "Inf", usd} }

// freeUntil is a price of what is used above an amount that is free.
func freeUntil(amount string, usd float64) []Tier {
	return []Tier{{"0", amount, 0}, {amount, "Inf", usd}}
}

// with returns the product with more attributes, given as name, value, name, value.
func (p Product) with(pairs ...string) Product {
	p.Attributes = maps.Clone(p.Attributes)
	if p.Attributes == nil {
		p.Attributes = map[string]string{}
	}
	for pair := range slices.Chunk(pairs, 2) {
		p.Attributes[pair[0]] = pair[1]
	}
	return p
}
