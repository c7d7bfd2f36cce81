package cloudwatch

import (
	"context"
	"errors"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/google/go-cmp/cmp"
)

// pages answers with one page after the other, and then with an error.
func pages(all ...[]types.MetricDataResult) getMetricData {
	return func(_ context.Context, in *cloudwatch.GetMetricDataInput, _ ...func(*cloudwatch.Options)) (*cloudwatch.GetMetricDataOutput, error) {
		if len(all) == 0 {
			return nil, errors.New("gone")
		}
		out := &cloudwatch.GetMetricDataOutput{MetricDataResults: all[0], NextToken: sdk.String(sdk.ToString(in.NextToken) + "x")}
		if all = all[1:]; len(all) == 0 {
			out.NextToken = nil
		}
		return out, nil
	}
}

func page(id string, status types.StatusCode, minute int, value float64) types.MetricDataResult {
	return types.MetricDataResult{Id: &id, StatusCode: status, Timestamps: []time.Time{time.Unix(int64(60*minute), 0)}, Values: []float64{value}}
}

func pointAt(minute int, value float64) point {
	return point{time.Unix(int64(60*minute), 0).UTC(), value}
}

func TestAMetricThatIsSplitOverPagesIsWholeAgain(t *testing.T) {
	call := latencies(1)[:2]
	got, err := fetch(t.Context(), pages(
		[]types.MetricDataResult{page("m1", types.StatusCodePartialData, 2, 20), page("m0", types.StatusCodeComplete, 1, 1)},
		[]types.MetricDataResult{page("m1", types.StatusCodeComplete, 1, 10)},
	), call, window{})
	if err != nil {
		t.Fatal(err)
	}
	want := fetched{pages: 2, answers: []answer{
		{types.StatusCodeComplete, []point{pointAt(1, 1)}},
		{types.StatusCodeComplete, []point{pointAt(2, 20), pointAt(1, 10)}},
	}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(fetched{}, answer{}, point{})); diff != "" {
		t.Errorf("wanted -, got +\n%s", diff)
	}
}

func TestAnAnswerThatMakesNoSenseIsAnError(t *testing.T) {
	for name, r := range map[string]types.MetricDataResult{
		"of another query":     page("m7", types.StatusCodeComplete, 1, 1),
		"without a name":       page("", types.StatusCodeComplete, 1, 1),
		"times without values": {Id: sdk.String("m0"), Timestamps: []time.Time{time.Now()}},
	} {
		if _, err := fetch(t.Context(), pages([]types.MetricDataResult{r}), latencies(1), window{}); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
}

func FuzzAnswersOfAnyNameAreTakenOrRefused(f *testing.F) {
	f.Add("m0", 1)
	f.Add("m", 0)
	f.Add("m99999999999999999999", 1)
	f.Add("\xff\x00", 3)
	f.Fuzz(func(t *testing.T, id string, values int) {
		r := types.MetricDataResult{Id: &id, StatusCode: types.StatusCodeComplete, Timestamps: make([]time.Time, 1), Values: make([]float64, max(0, min(values, 3)))}
		got, err := fetch(t.Context(), pages([]types.MetricDataResult{r}), latencies(1), window{})
		taken := 0
		for _, a := range got.answers {
			taken += len(a.points)
		}
		if (err == nil) != (taken == 1) {
			t.Errorf("got %d points and %v, want one or an error", taken, err)
		}
	})
}
