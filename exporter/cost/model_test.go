package cost_test

import (
	"math"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"opensaves-soak/exporter/cost"
	"opensaves-soak/exporter/metric"
)

var noon = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

// stock is the deployment of Open Saves' own Terraform, without any load.
func stock() cost.Measurement {
	return cost.Measurement{
		Start: noon, End: noon.Add(time.Minute), Cluster: true,
		Nodes:  []cost.Node{{InstanceType: "t3.medium"}, {InstanceType: "t3.medium"}},
		Tables: []cost.Table{{}, {}, {}, {}, {}},
		Caches: []cost.Cache{{Engine: "redis", NodeType: "cache.t4g.small", Nodes: 1}},
	}
}

func bill(m cost.Measurement, own *cost.Own) []cost.Line {
	return cost.Bill(m, cost.DefaultConfig().Fixed, cost.NewPrices("us-east-1", nil), own)
}

// about compares amounts as near does.
var about = gocmp.Comparer(func(a, b float64) bool { return a == b || near(a, b) })

func TestTheStockDeploymentCostsThirtyCentsAnHourWithoutLoad(t *testing.T) {
	var sum float64
	for _, l := range bill(stock(), nil) {
		sum += l.USDPerHour
	}
	if math.Abs(sum-0.3044) > 0.0001 {
		t.Errorf("got $%v an hour, want $0.3044", sum)
	}
}

func TestALoadIsBilledByComponentAndKind(t *testing.T) {
	m := stock()
	m.Nodes[1].SpotUSD = 0.0125
	m.Tables = []cost.Table{
		{ReadUnits: 6000, WriteUnits: 1200, StoredBytes: 73e9},
		{WriteUnits: 1200, StoredBytes: 73e9},
		{ReadUnits: 1e6, WriteUnits: 1e6, Provisioned: true, ReadCapacity: 100, WriteCapacity: 10},
	}
	m.S3 = &cost.Requests{Tier1: 600, Tier2: 6000}
	m.StoredBytes = 730e9
	m.Caches = append(m.Caches,
		cost.Cache{Engine: "redis", Serverless: true, ECPUs: 2e6, StoredBytes: 3e9},
		cost.Cache{Engine: "valkey", Serverless: true, ECPUs: 1e6, StoredBytes: 1e6},
	)
	m.PolledPerHour = 7260
	want := []cost.Line{
		{Component: metric.EKS, Kind: cost.KindFixed, USDPerHour: 0.1 + 0.0416 + 0.0125},
		{Component: metric.DynamoDB, Kind: cost.KindFixed, USDPerHour: 146*0.25/730 + 100*0.00013 + 10*0.00065},
		{Component: metric.DynamoDB, Kind: cost.KindVariable, USDPerHour: 60 * (6000*0.125e-6 + 2400*0.625e-6)},
		{Component: metric.S3, Kind: cost.KindFixed, USDPerHour: 0.023},
		{Component: metric.S3, Kind: cost.KindVariable, USDPerHour: 60 * (600*5e-6 + 6000*0.4e-6)},
		{Component: metric.Redis, Kind: cost.KindFixed, USDPerHour: 0.032 + 3*0.125 + 0.1*0.084},
		{Component: metric.Redis, Kind: cost.KindVariable, USDPerHour: 60 * (2*0.0034 + 0.0023)},
		{Component: metric.Network, Kind: cost.KindFixed, USDPerHour: 0.045 + 0.025},
		{Component: metric.Edge, Kind: cost.KindFixed, USDPerHour: 14.0 / 730},
		{Component: metric.CloudWatch, Kind: cost.KindFixed, USDPerHour: 0.0726},
	}
	if diff := gocmp.Diff(want, bill(m, nil), about); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

func TestWhatIsUnknownIsNoLine(t *testing.T) {
	unknown := math.NaN()
	m := cost.Measurement{
		Start: noon, End: noon.Add(time.Minute), Cluster: true, Nodes: []cost.Node{{InstanceType: "q9.large"}, {InstanceType: "t3.medium"}},
		Tables:      []cost.Table{{StoredBytes: unknown, ReadUnits: 60}, {}},
		StoredBytes: unknown, PolledPerHour: unknown,
		Caches: []cost.Cache{{Engine: "redis", NodeType: "cache.q9.large", Nodes: 1}, {Engine: "redis", Serverless: true, ECPUs: unknown}},
	}
	want := []cost.Line{
		{Component: metric.DynamoDB, Kind: cost.KindVariable, USDPerHour: 3600 * 0.125e-6},
		{Component: metric.Network, Kind: cost.KindFixed, USDPerHour: 0.07},
		{Component: metric.Edge, Kind: cost.KindFixed, USDPerHour: 14.0 / 730},
	}
	if diff := gocmp.Diff(want, bill(m, nil), about); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
	m = cost.Measurement{Start: noon, End: noon, Tables: []cost.Table{{ReadUnits: 1}}, S3: &cost.Requests{}, StoredBytes: unknown, PolledPerHour: unknown}
	want = append([]cost.Line{{Component: metric.DynamoDB, Kind: cost.KindFixed}}, want[1:]...)
	if diff := gocmp.Diff(want, bill(m, nil), about); diff != "" {
		t.Errorf("lines of no time (-want +got):\n%s", diff)
	}
}

func TestTheTestersOwnCallsToS3StandInForAll(t *testing.T) {
	m := cost.Measurement{Start: noon, End: noon.Add(2 * time.Minute), StoredBytes: math.NaN(), PolledPerHour: math.NaN()}
	var own cost.Own
	own.Attempts[metric.CreateBlob], own.Attempts[metric.GetBlob], own.Attempts[metric.GetRecord] = 10, 100, 1000
	want := cost.Line{Component: metric.S3, Kind: cost.KindVariable, USDPerHour: 30 * (10*5e-6 + 200*0.4e-6)}
	if diff := gocmp.Diff(want, bill(m, &own)[0], about); diff != "" {
		t.Errorf("line (-want +got):\n%s", diff)
	}
}
