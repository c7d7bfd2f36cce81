package main

import (
	"cmp"
	"slices"
	"testing"
	"time"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/desired"
	"opensaves-soak/load/scenario"
)

// price is what an hour at a rate costs by the guard's reckoning, in USD: of all
// operations, and of DynamoDB alone.
func (c Config) price(rps float64) (usd, dynamoDB float64) {
	mix := scenario.NewMix(scenario.Want{Scenarios: c.Load.Scenarios, ReadRatio: c.Load.ReadRatio}, c.Target.Wire(), c.Data.BlobSizes)
	prices, free := c.newPrices(), c
	free.Cost.Prices = map[string]float64{"s3_tier1_request": 0, "s3_tier2_request": 0}
	ofTables := free.newPrices()
	for op := range metric.Operation(metric.Operations) {
		hourly := rps * time.Hour.Seconds() * mix.Share(op)
		usd += hourly * prices.Operation(op, c.Data.RecordBytes.Mean(), c.Data.BlobSizes.Mean())
		dynamoDB += hourly * ofTables.Operation(op, c.Data.RecordBytes.Mean(), c.Data.BlobSizes.Mean())
	}
	return usd, dynamoDB
}

func TestTheLaddersReachFiveThousandWithinTheirOwnLimits(t *testing.T) {
	for _, name := range []string{"ladder-80-20.yaml", "ladder-95-5.yaml"} {
		c, err := (configSource{path: "../../docs/examples/" + name, locked: lockedShare}).load()
		if err != nil {
			t.Fatal(err)
		}
		highest := slices.MaxFunc(c.Load.Stages, func(a, b desired.Stage) int { return cmp.Compare(a.RPS, b.RPS) }).RPS
		usd, tables := c.price(highest)
		t.Logf("%s: %.2f USD an hour at %.0f a second, %.2f of it for DynamoDB", name, usd, highest, tables)
		if highest != 5000 || c.Load.MaxRPS != 0 && c.Load.MaxRPS < highest || usd > c.Safety.MaxUSDPerHour {
			t.Errorf("%s: got %.0f a second, max_rps %.0f, %.2f USD an hour of %.2f, want 5000 within both limits", name, highest, c.Load.MaxRPS, usd, c.Safety.MaxUSDPerHour)
		}
	}
}
