package cost

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"strconv"
)

// product is a document of the Price List, as far as a price needs it.
type product struct {
	Product struct {
		Attributes struct {
			UsageType string `json:"usagetype"`
		} `json:"attributes"`
	} `json:"product"`
	Terms struct {
		OnDemand map[string]struct {
			PriceDimensions map[string]tier `json:"priceDimensions"`
		} `json:"OnDemand"`
	} `json:"terms"`
}

// tier is a price from some usage on.
type tier struct {
	BeginRange   string `json:"beginRange"`
	PricePerUnit struct {
		USD string `json:"USD"`
	} `json:"pricePerUnit"`
}

// regionPrefix is what stands for the region in most of its types of usage. Two
// letters and no digit are a storage class, but for the oldest region of Europe.
var regionPrefix = regexp.MustCompile(`^(?:EU|[A-Z]{2,4}[0-9]{1,2})-`)

func parseProduct(document string) (p product, err error) {
	if err := json.Unmarshal([]byte(document), &p); err != nil {
		return product{}, fmt.Errorf("parsing a product: %w", err)
	}
	return p, nil
}

// usage is the type of usage without the region.
func (p product) usage() string {
	return regionPrefix.ReplaceAllString(p.Product.Attributes.UsageType, "")
}

// usd returns the price of the first tier that costs something, for one unit; 0:
// nothing does.
func (p product) usd() (usd float64, err error) {
	begin := math.Inf(1)
	for _, term := range p.Terms.OnDemand {
		for _, t := range term.PriceDimensions {
			from, price, err := t.parse()
			switch {
			case err != nil:
				return 0, err
			case price == 0 || from > begin:
			case from == begin && price != usd:
				return 0, fmt.Errorf("parsing a product: got prices of %v and %v USD from %v units on, want one", min(price, usd), max(price, usd), from)
			default:
				begin, usd = from, price
			}
		}
	}
	return usd, nil
}

// parse returns where the tier begins, in units, and its price. A price in
// another currency is none.
func (t tier) parse() (begin, usd float64, err error) {
	if t.PricePerUnit.USD == "" {
		return 0, 0, nil
	}
	if usd, err = amount(t.PricePerUnit.USD); err != nil {
		return 0, 0, fmt.Errorf("parsing the price of a product: %w", err)
	}
	if begin, err = amount(t.BeginRange); err != nil {
		return 0, 0, fmt.Errorf("parsing the range of a price: %w", err)
	}
	return begin, usd, nil
}

func amount(text string) (float64, error) {
	x, err := strconv.ParseFloat(text, 64)
	if err != nil || !finite(x) {
		return 0, fmt.Errorf("got %q, want a number of 0 or more", text)
	}
	return x, nil
}

// pick returns the price of the one product that is listed, among those that a
// query found.
func (l listing) pick(documents []string) (usd float64, err error) {
	found := 0
	for _, d := range documents {
		p, err := parseProduct(d)
		if err != nil {
			return 0, err
		}
		if p.usage() != l.usage {
			continue
		}
		price, err := p.usd()
		if err != nil {
			return 0, err
		}
		if price > 0 {
			found++
			usd = price
		}
	}
	if found != 1 {
		return 0, fmt.Errorf("picking a product: got %d with a price, want 1", found)
	}
	return usd, nil
}
