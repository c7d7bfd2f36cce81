package cost

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestPricesOfAnEarlierProcessHoldUntilOthersAreRead(t *testing.T) {
	directory, now := t.TempDir(), time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)
	before := NewPrices("eu-west-1", nil)
	if err := before.Keep(directory, now); err != nil {
		t.Fatal(err)
	}
	before.set(natGateway, 0.048, now)
	before.set(writeUnit, 0.7e-6, now.AddDate(0, 0, -31)) // too old for the next one
	if err := before.save(); err != nil {
		t.Fatal(err)
	}
	next := func(region string, overrides map[string]float64) []float64 {
		p := NewPrices(region, overrides)
		if err := p.Keep(directory, now.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		return []float64{p.usd(natGateway), p.usd(writeUnit)}
	}
	got := [][]float64{next("eu-west-1", nil), next("us-west-2", nil), next("eu-west-1", map[string]float64{natGateway: 1})}
	want := [][]float64{{0.048, 0.625e-6}, {0.045, 0.625e-6}, {1, 0.625e-6}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("wanted -, got +\n%s", diff)
	}
}

func TestADamagedFileOfPricesIsSaidAndReplaced(t *testing.T) {
	directory, now := t.TempDir(), time.Now()
	path := filepath.Join(directory, keptFile)
	if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := NewPrices("us-east-1", nil)
	if err := p.Keep(directory, now); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v, want an error that names the file", err)
	}
	p.set(natGateway, 0.05, now)
	if err := p.save(); err != nil {
		t.Fatal(err)
	}
	if err := NewPrices("us-east-1", nil).Keep(directory, now); err != nil {
		t.Errorf("after it was written again: got %v, want no error", err)
	}
}

func FuzzKeptPricesAreNeverNonsense(f *testing.F) {
	f.Add(`{"region":"us-east-1","prices":{"nat_gateway_hour":{"usd":0.05,"at":"2026-11-24T00:00:00Z"}}}`)
	f.Add(`{"prices":{"gold":{"usd":-1}}}`)
	f.Fuzz(func(t *testing.T, text string) {
		k, err := decodeKept(strings.NewReader(text), time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC))
		for item, price := range k.Prices {
			if i, known := itemOf(item); err != nil || !known || !finite(price.USD) || !i.plausible(price.USD) {
				t.Errorf("got %s: %v, %v", item, price, err)
			}
		}
	})
}
