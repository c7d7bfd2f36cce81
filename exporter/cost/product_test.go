package cost

import (
	"math"
	"strings"
	"testing"
)

// document is one of the Price List, with the tiers that are handed in.
func document(usage, tiers string) string {
	return `{"product": {"productFamily": "Any", "attributes": {"usagetype": "` + usage + `"}, "sku": "A"},
		"terms": {"OnDemand": {"A.B": {"priceDimensions": {` + tiers + `}}}}, "publicationDate": "2026-10-01T00:00:00Z"}`
}

// read reads all of a document; it has nothing to say of one that is wrong.
func read(document string) (usage string, usd float64, err error) {
	p, err := parseProduct(document)
	if err == nil {
		usd, err = p.usd()
	}
	if err != nil {
		return "", 0, err
	}
	return p.usage(), usd, nil
}

func TestAPriceIsThatOfTheFirstTierThatCostsSomething(t *testing.T) {
	const free = `"A.B.1": {"unit": "GB-Mo", "beginRange": "0", "endRange": "25", "pricePerUnit": {"USD": "0.0000000000"}}`
	const second = `"A.B.2": {"unit": "GB-Mo", "beginRange": "25", "endRange": "1000", "pricePerUnit": {"USD": "0.2500000000"}}`
	const third = `"A.B.3": {"unit": "GB-Mo", "beginRange": "1000", "endRange": "Inf", "pricePerUnit": {"USD": "0.2000000000"}}`
	const rival = `"A.B.4": {"unit": "GB-Mo", "beginRange": "25", "endRange": "Inf", "pricePerUnit": {"USD": "0.3"}}`
	for _, c := range []struct {
		name, document, usage string
		usd                   float64
		err                   string
	}{
		{"tiers", document("TimedStorage-ByteHrs", third+","+free+","+second), "TimedStorage-ByteHrs", 0.25, ""},
		{"free", document("USW2-TimedStorage-ByteHrs", free), "TimedStorage-ByteHrs", 0, ""},
		{"Europe", document("EU-TimedStorage-ByteHrs", second), "TimedStorage-ByteHrs", 0.25, ""},
		{"another class", document("IA-TimedStorage-ByteHrs", second), "IA-TimedStorage-ByteHrs", 0.25, ""},
		{"yuan", document("A", `"A.B.1": {"pricePerUnit": {"CNY": "1"}}`), "A", 0, ""},
		{"no terms", `{"product": {"attributes": {"usagetype": "A"}}}`, "A", 0, ""},
		{"two prices", document("A", second+","+rival), "", 0, "parsing a product: got prices of 0.25 and 0.3 USD from 25 units on, want one"},
		{"no number", document("A", `"A.B.1": {"beginRange": "0", "pricePerUnit": {"USD": "free"}}`), "", 0, `parsing the price of a product: got "free", want a number of 0 or more`},
		{"no end", document("A", `"A.B.1": {"beginRange": "Inf", "pricePerUnit": {"USD": "1"}}`), "", 0, `parsing the range of a price: got "Inf", want a number of 0 or more`},
		{"no document", `[]`, "", 0, "parsing a product: json: cannot unmarshal array"},
	} {
		usage, usd, err := read(c.document)
		if usage != c.usage || usd != c.usd || (err == nil) != (c.err == "") || err != nil && !strings.HasPrefix(err.Error(), c.err) {
			t.Errorf("%s: got %q, %v, %v, want %q, %v, %s", c.name, usage, usd, err, c.usage, c.usd, c.err)
		}
	}
}

func FuzzAProductHasAPriceOrAnError(f *testing.F) {
	f.Add(document("USW2-A", `"A.B.1": {"beginRange": "0", "pricePerUnit": {"USD": "0.25"}}`))
	f.Add(document("A", `"A.B.1": {"beginRange": "-1", "pricePerUnit": {"USD": "NaN"}}`))
	f.Add(`{"terms": {"OnDemand": null}}`)
	f.Add(``)
	f.Fuzz(func(t *testing.T, document string) {
		usage, usd, err := read(document)
		if math.IsNaN(usd) || math.IsInf(usd, 0) || usd < 0 {
			t.Errorf("got %v of %q, error %v", usd, usage, err)
		}
	})
}

func TestItemsAreKnownByName(t *testing.T) {
	for _, name := range []string{
		"dynamodb_write_unit", "ec2_hour.t3.medium", "ec2_hour.u-6tb1.56xlarge", "elasticache_node_hour.redis.cache.t4g.small",
		"elasticache_node_hour.valkey.cache.r7g.large", "elasticache_serverless_ecpu.valkey",
	} {
		if i, ok := itemOf(name); !ok || i.name != name || i.unit == "" || i.listing.service == "" || i.listing.usage == "" {
			t.Errorf("%s: got %+v, %v, want an item", name, i, ok)
		}
	}
	for _, name := range []string{
		"", "dynamodb_raed", "ec2_hour.", "ec2_hour.t3", "ec2_hour.T3.medium", "ec2_hour.t3.medium.more", "elasticache_node_hour.redis.t4g.small",
		"elasticache_node_hour.memcached.cache.t4g.small", "elasticache_serverless_ecpu.memcached",
	} {
		if i, ok := itemOf(name); ok {
			t.Errorf("%s: got %+v, want none", name, i)
		}
	}
	for name := range machines {
		if _, ok := itemOf(name); !ok {
			t.Errorf("%s: got no item for a built-in price", name)
		}
	}
}
