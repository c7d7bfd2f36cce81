package scenario

import (
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/units"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/ledger"
	"opensaves-soak/opensaves"
)

func testContent(t *testing.T) *content {
	t.Helper()
	data := DefaultConfig()
	data.RecordBytes = Spread{200: 1, units.KiB: 1, 64 * units.KiB: 1}
	c, err := newContent(data, "00c0ffee")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func testRecord(number uint64) *ledger.Object {
	id := ledger.Identity{Run: "00c0ffee"}
	return ledger.NewObject(number, id.Key('r', number), ledger.NewObject(1, id.Key('s', 1), nil))
}

func TestARecordShowsItsKeyAndVersion(t *testing.T) {
	c := testContent(t)
	var r opensaves.Record
	var a arena
	for number := range uint64(50) {
		o := testRecord(number)
		for version := uint32(1); version < 20; version++ {
			c.record(&r, &a, o, version)
			if got := see(o, &r); got != (ledger.Seen{Version: version}) {
				t.Fatalf("record %d: got %+v, want version %d", number, got, version)
			}
			if got, want := int64(len(r.Opaque)), c.size(o, version); got > want || got < want-8 {
				t.Fatalf("record %d: got %d bytes, want %d or a few less", number, got, want)
			}
		}
	}
}

func TestAChangeOfAnyFieldShows(t *testing.T) {
	c := testContent(t)
	o := testRecord(3)
	for name, change := range map[string]func(r, other *opensaves.Record){
		"the owner":                      func(r, _ *opensaves.Record) { r.Owner += "x" },
		"the game":                       func(r, _ *opensaves.Record) { r.Game = "" },
		"tags of another version":        func(r, other *opensaves.Record) { r.Tags = other.Tags },
		"tags in another order":          func(r, _ *opensaves.Record) { r.Tags[0], r.Tags[1] = r.Tags[1], r.Tags[0] },
		"a property of another version":  func(r, other *opensaves.Record) { r.Properties[0] = other.Properties[0] },
		"a property missing":             func(r, _ *opensaves.Record) { r.Properties = r.Properties[1:] },
		"a property twice":               func(r, _ *opensaves.Record) { r.Properties = append(r.Properties, r.Properties[0]) },
		"the kind of a property":         func(r, _ *opensaves.Record) { r.Properties[0].Kind = opensaves.Undefined },
		"opaque text of another version": func(r, other *opensaves.Record) { r.Opaque = other.Opaque },
		"a byte of the opaque text":      func(r, _ *opensaves.Record) { r.Opaque = r.Opaque[:len(r.Opaque)-1] + "!" },
		"no opaque text":                 func(r, _ *opensaves.Record) { r.Opaque = "" },
	} {
		var r, other opensaves.Record
		var a, b arena
		c.record(&r, &a, o, 5)
		c.record(&other, &b, o, 6)
		change(&r, &other)
		if got := see(o, &r); got.Fault == "" {
			t.Errorf("%s: got %+v, want a fault", name, got)
		}
	}
}

func TestACounterIsNoPartOfTheContent(t *testing.T) {
	c := testContent(t)
	o := testRecord(3)
	var r opensaves.Record
	var a arena
	c.record(&r, &a, o, 5)
	r.Properties = append(r.Properties, counter(77))
	if got := see(o, &r); got != (ledger.Seen{Version: 5}) {
		t.Errorf("got %+v, want version 5", got)
	}
}

func TestMetadataShowsItsKeyAndVersion(t *testing.T) {
	c := testContent(t)
	o := testRecord(9)
	var r opensaves.Record
	var a arena
	c.metadata(&r, &a, o, 2)
	if got := see(o, &r); got != (ledger.Seen{Version: 2}) {
		t.Errorf("got %+v, want version 2", got)
	}
}

func TestTheSkewIsZipfs(t *testing.T) {
	const n, draws = 50, 400_000
	for _, skew := range []float64{0, 0.5, 1, 1.7} {
		r := rand.New(rand.NewPCG(1, 2))
		var got [n]float64
		for range draws {
			got[zipf(r, skew, n)]++
		}
		sum := 0.0
		for k := 1; k <= n; k++ {
			sum += math.Pow(float64(k), -skew)
		}
		for k := 1; k <= n; k++ {
			want := draws * math.Pow(float64(k), -skew) / sum
			if math.Abs(got[k-1]-want) > 5*math.Sqrt(want) { // five standard deviations
				t.Errorf("skew %v, rank %d: got %v draws, want %.0f", skew, k, got[k-1], want)
			}
		}
	}
}

func TestAMixIsDrawnAsItIsWeighed(t *testing.T) {
	const draws = 200_000
	for name, test := range map[string]struct {
		want     Want
		protocol metric.Protocol
		shares   map[metric.Operation]float64
		reads    float64
	}{
		"two operations of the user's own": {
			Want{Operations: map[string]float64{"get_record": 3, "create_record": 1}, Scenarios: map[string]float64{"crud": 1}},
			metric.HTTP,
			map[metric.Operation]float64{metric.GetRecord: 0.75, metric.CreateRecord: 0.25},
			0.75,
		},
		"mixed keeps its share of reads on REST": {
			Want{Scenarios: map[string]float64{"mixed": 1}, ReadRatio: 0.95}, metric.HTTP, nil, 0.95,
		},
		"mixed keeps its share of reads on gRPC": {
			Want{Scenarios: map[string]float64{"mixed": 1}, ReadRatio: 0.5}, metric.GRPC, nil, 0.5,
		},
		"scenarios weigh what they are given whatever they lack": {
			Want{Scenarios: map[string]float64{"queries": 1, "mixed": 1}, ReadRatio: 0}, metric.HTTP, nil, 0.5,
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(3, 4))
			mix := NewMix(test.want, test.protocol, DefaultConfig().BlobSizes)
			var got [metric.Operations]float64
			reads := 0.0
			for range draws {
				d := mix.Draw(r)
				got[d.Op] += 1.0 / draws
				reads += float64(1-side(d.Op)) / draws
			}
			if math.Abs(reads-test.reads) > 0.01 {
				t.Errorf("reads: got %.3f, want %.3f", reads, test.reads)
			}
			for op := range metric.Operation(metric.Operations) {
				if want, named := test.shares[op]; named && math.Abs(got[op]-want) > 0.01 {
					t.Errorf("%s: got %.3f, want %.3f", op, got[op], want)
				}
				if math.Abs(got[op]-mix.Share(op)) > 0.01 {
					t.Errorf("%s: drawn %.3f, want its share %.3f", op, got[op], mix.Share(op))
				}
			}
		})
	}
}

func TestAProtocolThatLacksAllOperationsIsPinged(t *testing.T) {
	mix := NewMix(Want{Scenarios: map[string]float64{"atomics": 1}}, metric.HTTP, DefaultConfig().BlobSizes)
	if got := mix.Draw(rand.New(rand.NewPCG(1, 1))).Op; got != metric.Ping {
		t.Errorf("got %s, want ping", got)
	}
	if got := len(mix.Skipped()); got != 7 {
		t.Errorf("operations skipped: got %d, want the 7 of atomics", got)
	}
}

func TestUploadsStayWithinTheirBudget(t *testing.T) {
	b := budget{perSecond: 1000}
	var let int64
	for now := time.Duration(0); now < 10*time.Second; now += time.Millisecond {
		if b.take(100, now) {
			let += 100
		}
	}
	if let < 10_000 || let > 11_000 {
		t.Errorf("bytes in 10 s at 1000 a second: got %d, want 10000 and at most a second's worth more", let)
	}
	large := budget{perSecond: 1000}
	if !large.take(5000, 0) || large.take(1, 4*time.Second) || !large.take(1, 6*time.Second) {
		t.Error("an upload larger than a second's worth must pass, and be paid for")
	}
}

func TestTemplatesThatCannotBeUsedAreRefused(t *testing.T) {
	const stores = `[{"weight": 1, "name": "a"}]`
	for name, test := range map[string]struct{ records, stores, want string }{
		"an unknown key":        {`[{"weight": 1, "propertys": {}}]`, stores, `unknown field "propertys"`},
		"not JSON":              {`{`, stores, "reading records.json"},
		"a name of ours":        {`[{"weight": 1, "properties": {"version": "x"}}]`, stores, "properties.version"},
		"a value of no kind":    {`[{"weight": 1, "properties": {"a": [1]}}]`, stores, `properties.a: got [1]`},
		"an empty text":         {`[{"weight": 1, "properties": {"a": ""}}]`, stores, "properties.a"},
		"a range upside down":   {`[{"weight": 1, "properties": {"a": {"from": 2, "to": 1}}}]`, stores, "got a range from 2 to 1"},
		"a weight out of range": {`[{"weight": 101, "properties": {"a": true}}]`, stores, "weight: got 101"},
		"no weight at all":      {`[{"weight": 0, "properties": {"a": true}}]`, stores, "want one in each file"},
		"no stores":             {`[{"weight": 1, "properties": {"a": true}}]`, `[]`, "want one in each file"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for file, text := range map[string]string{"records.json": test.records, "stores.json": test.stores} {
				if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			_, err := loadTemplates(dir)
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "data.templates") {
				t.Errorf("got %v, want data.templates and %q", err, test.want)
			}
		})
	}
	if _, err := loadTemplates(t.TempDir()); err == nil || !strings.Contains(err.Error(), "records.json") {
		t.Errorf("an empty directory: got %v, want the missing file's name", err)
	}
}

func BenchmarkRecord(b *testing.B) {
	data := DefaultConfig()
	c, err := newContent(data, "00c0ffee")
	if err != nil {
		b.Fatal(err)
	}
	o := testRecord(1)
	var r opensaves.Record
	var a arena
	b.Run("make", func(b *testing.B) {
		b.ReportAllocs()
		for version := uint32(1); b.Loop(); version++ {
			c.record(&r, &a, o, version)
		}
	})
	b.Run("see", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			see(o, &r)
		}
	})
}

func BenchmarkZipf(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	for b.Loop() {
		zipf(r, 1, 10_000)
	}
}
