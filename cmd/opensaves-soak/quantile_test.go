package main

import (
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"pgregory.net/rapid"

	"opensaves-soak/exporter/metric"
)

// observed is what a registry says of response times.
func observed(t interface{ Fatal(...any) }, noClassic bool, seconds ...float64) histogram {
	registry := prometheus.NewRegistry()
	observer := metric.Factory{Registerer: registry, NoClassic: noClassic}.Histogram(metric.ConnectionWait).WithLabelValues()
	for _, s := range seconds {
		observer.Observe(s)
	}
	s, err := gather(registry)
	if err != nil {
		t.Fatal(err)
	}
	return s.histogram(metric.ConnectionWait, nil)
}

// growth is the base of native histograms as this program makes them: the
// largest of 2^(2^-schema) that is at most 1.1.
var growth = math.Exp2(1.0 / 8)

func TestAQuantileLiesInTheBucketOfTheTrueOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seconds := rapid.SliceOfN(rapid.Float64Range(1e-4, 1), 1, 200).Draw(t, "seconds")
		q := rapid.Float64Range(0, 1).Draw(t, "q")
		h := observed(t, rapid.Bool().Draw(t, "noClassic"), seconds...)
		slices.Sort(seconds)
		want := seconds[max(0, int(math.Ceil(q*float64(len(seconds))-1e-9))-1)]
		if got := h.quantile(q); got < want/growth*(1-1e-9) || got > want*growth*(1+1e-9) {
			t.Errorf("quantile(%v) = %v, want %v within a factor of %v", q, got, want, growth)
		}
		if got, largest := h.most(), seconds[len(seconds)-1]; got < largest*(1-1e-9) || got > largest*growth*(1+1e-9) {
			t.Errorf("most() = %v, want a bound of %v", got, largest)
		}
		if got := h.count(); got != float64(len(seconds)) {
			t.Errorf("count() = %v, want %d", got, len(seconds))
		}
	})
}

func TestWhatWasObservedInATimeIsWhatCameAfterItsBegin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		times := rapid.SliceOfN(rapid.Float64Range(0, 20), 0, 100)
		before, after := times.Draw(t, "before"), times.Draw(t, "after")
		registry := prometheus.NewRegistry()
		observer := metric.Factory{Registerer: registry}.Histogram(metric.ConnectionWait).WithLabelValues()
		at := func(seconds []float64) snapshot {
			for _, s := range seconds {
				observer.Observe(s)
			}
			s, err := gather(registry)
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		first := at(before)
		got := at(after).since(first).histogram(metric.ConnectionWait, nil)
		want := observed(t, false, after...)
		if diff := cmp.Diff(want.buckets(), got.buckets(), cmp.AllowUnexported(bucket{})); diff != "" {
			t.Errorf("wanted -, got +\n%s", diff)
		}
		whole := got.plus(first.histogram(metric.ConnectionWait, nil), 1)
		if got, want := whole.count(), float64(len(before)+len(after)); got != want {
			t.Errorf("count() of both together = %v, want %v", got, want)
		}
	})
}

func TestAHistogramThatBeganAgainCountsFromThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		vec := prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: metric.ConnectionWait.Name, Help: "Waits.", NativeHistogramBucketFactor: 1.1,
			NativeHistogramMaxBucketNumber: 4, NativeHistogramMinResetDuration: time.Hour, Buckets: metric.LagBuckets,
		}, nil)
		registry := prometheus.NewRegistry()
		registry.MustRegister(vec)
		at := func(seconds ...float64) snapshot {
			for _, s := range seconds {
				vec.WithLabelValues().Observe(s)
			}
			s, err := gather(registry)
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		before := at(1, 2, 4, 8)
		time.Sleep(2 * time.Hour)
		got := at(100, 100).since(before).histogram(metric.ConnectionWait, nil)
		if got.count() != 2 || got.quantile(0.5) < 90 || got.quantile(0.5) > 110 {
			t.Errorf("got %v observations with median %v, want 2 of 100", got.count(), got.quantile(0.5))
		}
	})
}

func TestACoarserFormHoldsTheSameObservations(t *testing.T) {
	fine := &native{schema: 3, counts: map[int32]float64{-8: 1, -7: 2, 0: 3, 1: 4, 8: 5, 9: 6}, zero: 7, threshold: 1e-5}
	for name, test := range map[string]struct {
		schema    int32
		threshold float64
		want      native
	}{
		"as it is":             {3, 1e-5, *fine},
		"half the buckets":     {2, 1e-5, native{2, map[int32]float64{-4: 1, -3: 2, 0: 3, 1: 4, 4: 5, 5: 6}, 7, 1e-5}},
		"one bucket an octave": {0, 1e-5, native{0, map[int32]float64{-1: 1, 0: 5, 1: 9, 2: 6}, 7, 1e-5}},
		"one of four octaves":  {-2, 1e-5, native{-2, map[int32]float64{0: 6, 1: 15}, 7, 1e-5}},
		"a larger zero bucket": {3, 0.5, native{3, map[int32]float64{-7: 2, 0: 3, 1: 4, 8: 5, 9: 6}, 8, 0.5}},
	} {
		t.Run(name, func(t *testing.T) {
			got := fine.coarse(test.schema, test.threshold)
			if diff := cmp.Diff(&test.want, got, cmp.AllowUnexported(native{})); diff != "" {
				t.Errorf("wanted -, got +\n%s", diff)
			}
		})
	}
}

func TestClassicBucketsStandInForMissingNativeOnes(t *testing.T) {
	h := decode(&dto.Histogram{
		SampleCount: new(uint64(10)),
		Bucket: []*dto.Bucket{
			{UpperBound: new(0.1), CumulativeCount: new(uint64(4))},
			{UpperBound: new(0.2), CumulativeCount: new(uint64(8))},
		},
	})
	got := map[string]float64{
		"p20": h.quantile(0.2), "p60": h.quantile(0.6), "beyond": h.quantile(0.99), "most": h.most(),
		"within 0.15": h.within(0.15), "within 0.2": h.within(0.2), "within 9": h.within(9), "count": h.count(),
	}
	want := map[string]float64{
		"p20": 0.05, "p60": 0.15, "beyond": 0.2, "most": math.Inf(1),
		"within 0.15": 6, "within 0.2": 8, "within 9": 8, "count": 10,
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateApprox(1e-9, 0)); diff != "" {
		t.Errorf("wanted -, got +\n%s", diff)
	}
}

func TestAThresholdIsCountedExactlyByClassicBucketsAndInterpolatedWithoutThem(t *testing.T) {
	seconds := []float64{0.01, 0.099, 0.1, 0.101, 0.2}
	if got := observed(t, false, seconds...).within(0.1); got != 3 {
		t.Errorf("within(0.1) = %v of %v, want 3", got, seconds)
	}
	if got := observed(t, true, seconds...).within(0.1); got < 1.5 || got > 4 {
		t.Errorf("within(0.1) = %v of %v by interpolation, want about 3", got, seconds)
	}
}

func TestNothingObservedHasNoQuantiles(t *testing.T) {
	for name, h := range map[string]histogram{"not there": {}, "there": observed(t, false), "native alone": observed(t, true)} {
		t.Run(name, func(t *testing.T) {
			got := []float64{h.quantile(0.5), h.most(), h.count(), h.within(1)}
			if diff := cmp.Diff([]float64{math.NaN(), math.NaN(), 0, 0}, got, cmpopts.EquateNaNs()); diff != "" {
				t.Errorf("wanted -, got +\n%s", diff)
			}
		})
	}
}
